import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { patchBody } from '../../../src/wire/grip/index.ts';
import { applyPatch } from '../../../src/wire/json-patch/index.ts';
import { faultOf } from './faults.ts';

const LIMITS = resolveLimits();
const REPLACE = [{ op: 'replace', path: '/a', value: 'ü' }];

const patched = (body: string | Buffer, operations: readonly unknown[] = REPLACE): string =>
  patchBody(Buffer.from(body as string), operations, (document, patch) =>
    applyPatch(document, patch, LIMITS),
  ).toString();

describe('A held body', () => {
  test('is patched, with the line end that it has', () => {
    assert.equal(patched('{"a": 1}'), '{"a":"ü"}');
    assert.equal(patched('{"a": 1}\n'), '{"a":"ü"}\n');
    assert.equal(patched(' {"a": 1} \r\n'), '{"a":"ü"}\r\n');
    assert.equal(patched('{"a": 1}\n\n'), '{"a":"ü"}\n');
  });

  test('is not patched if it is not JSON in UTF-8', () => {
    for (const body of ['', 'text', Buffer.from('{"a":"\xff"}', 'latin1')]) {
      assert.match(
        faultOf('grip_item_invalid', () => patched(body)),
        /not JSON/,
      );
    }
  });

  test('is not patched by what does not apply to it', () => {
    assert.match(
      faultOf('json_patch_invalid', () => patched('{"b":1}')),
      /^Operation 0/,
    );
    faultOf('json_patch_invalid', () => patched('{}', ['x']));
  });
});
