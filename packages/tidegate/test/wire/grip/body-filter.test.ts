import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { resolveLimits, TidegateError } from '../../../src/kernel/index.ts';
import { type BodyFilter, bodyFilterOf } from '../../../src/wire/grip/index.ts';

const limits = resolveLimits();
const channels = [
  { name: 'a', prevId: '1', filters: ['build-id'] },
  { name: 'b)c', prevId: 'x', filters: [] },
  { name: 'd', prevId: null, filters: [] },
];

function filter(meta: Record<string, string> = { id_format: '%(a)s:%(b\\)c)s' }, bytes = limits): BodyFilter {
  const made = bodyFilterOf({ channels }, new Map(Object.entries(meta)), bytes);
  assert.ok(made !== null);
  return made;
}

const isInvalid = (error: unknown): boolean =>
  error instanceof TidegateError && error.code === 'grip_instruct_invalid';

/** The body in slices of these lengths, and the rest. */
function inSlices(body: Buffer, lengths: readonly number[], made = filter()): string {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const length of [...lengths, body.length]) {
    parts.push(Buffer.from(made.update(body.subarray(from, from + length))));
    from = Math.min(body.length, from + length);
  }
  made.end();
  return String(Buffer.concat(parts));
}

describe('The filter build-id, in the body that an origin gives', () => {
  test('puts in what the client has once it has the body', () => {
    assert.equal(String(filter().whole(Buffer.from('id: %I\n%% %(x)I'))), 'id: 1:x\n% x');
    assert.equal(String(filter({ id_format: '%(a)s', id_encoding: 'hex' }).whole(Buffer.from('%I'))), '31');
    const body = Buffer.from('nothing in it');
    assert.equal(filter().whole(body), body);
  });

  test('is not there for channels without it', () => {
    const others = [{ name: 'a', prevId: '1', filters: ['var-subst'] }];
    assert.equal(bodyFilterOf({ channels: others }, new Map(), limits), null);
  });

  test('does the same wherever the body is cut into slices', () => {
    const parts = fc.constantFrom('%I', '%%', '%(x\\)%y)I', '%(ü)I', 'text ü', 'I', '(a)');
    fc.assert(
      fc.property(fc.array(parts), fc.array(fc.nat(7)), (list, lengths) => {
        const body = Buffer.from(list.join(''));
        assert.equal(inSlices(body, lengths), inSlices(body, []));
      }),
    );
  });

  test('needs a form of ids, in an encoding that it knows', () => {
    for (const meta of [{}, { id_format: '%(a)s', id_encoding: 'base64' }]) {
      assert.throws(() => filter(meta as Record<string, string>), isInvalid);
    }
  });

  test('does not pass over what it cannot replace', () => {
    for (const body of ['%s', '%(a)s', '100 % sure', '%', 'x%(name', '%(']) {
      assert.throws(() => filter().whole(Buffer.from(body)), isInvalid, body);
    }
    assert.throws(() => filter({ id_format: '%(d)s' }).whole(Buffer.from('%I')), isInvalid, 'no prev-id');
    assert.throws(() => filter({ id_format: '%(other)s' }).whole(Buffer.from('%I')), isInvalid);
  });

  test('keeps no more of a directive than gripDirectiveBytesMax', () => {
    const made = filter(undefined, resolveLimits({ gripDirectiveBytesMax: 16 }));
    assert.equal(String(made.update(Buffer.from('ab%(3456789012345'))), 'ab');
    assert.throws(() => made.update(Buffer.from('67')), isInvalid);
  });
});
