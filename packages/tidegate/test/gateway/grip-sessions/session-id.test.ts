import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { sessionIdIn } from '../../../src/gateway/grip-sessions/index.ts';
import { SessionRules } from '../../../src/gateway/grip-sessions/session-rules.ts';

const rule = (sidPointer: string, jsonParam: string | null = null) => ({
  pathPrefix: '/',
  sidPointer,
  jsonParam,
});
const found = (body: string | Buffer, ...rules: ReturnType<typeof rule>[]): string | null =>
  sessionIdIn(Buffer.from(body), rules, 16);

describe('The id of a session in a request', () => {
  it('stands at the pointer in a JSON body', () => {
    assert.equal(found('{"sid":"a"}', rule('/sid')), 'a');
    assert.equal(found('[{"a/b":{"~":"ü"}}]', rule('/0/a~1b/~0')), 'ü');
  });

  it('or in the JSON of a parameter of a form', () => {
    assert.equal(found('x=1&json=%7B%22sid%22%3A%22a+b%22%7D', rule('/sid', 'json')), 'a b');
    assert.equal(found('x=1', rule('/sid', 'json')), null);
    assert.equal(found('{"sid":"a"}', rule('/sid', 'json')), null);
  });

  it('is what the first rule finds that finds any', () => {
    assert.equal(found('{"a":7,"b":"x","c":"y"}', rule('/missing'), rule('/a'), rule('/b'), rule('/c')), 'x');
  });

  it('is a text that a field can carry, of gripSessionIdBytesMax at most', () => {
    for (const body of [
      '',
      '{',
      '"a"',
      '{"sid":""}',
      '{"sid":7}',
      '{"sid":null}',
      '{"sid":" a"}',
      '{"sid":"a\\n"}',
    ])
      assert.equal(found(body, rule('/sid')), null, body);
    assert.equal(found('"a"', rule('')), 'a');
    assert.equal(found(JSON.stringify({ sid: 'x'.repeat(16) }), rule('/sid')), 'x'.repeat(16));
    assert.equal(found(JSON.stringify({ sid: 'x'.repeat(17) }), rule('/sid')), null);
    assert.equal(found(JSON.stringify({ sid: 'ü'.repeat(9) }), rule('/sid')), null);
    assert.equal(found(Buffer.from([0x22, 0xff, 0x22]), rule('')), null);
    assert.equal(found('{"sid":"a"}', rule('sid')), null);
  });
});

describe('The rules by which sessions are found', () => {
  const scoped = (pathPrefix: string, host = 'a.example', scope = 'app') => ({
    scope,
    host,
    pathPrefix,
    sidPointer: '/sid',
    jsonParam: null,
  });

  it('are for the paths, the host and the origin with which they came', () => {
    const rules = new SessionRules(10);
    assert.equal(rules.add(scoped('/a')), true);
    assert.equal(rules.add(scoped('/a')), false);
    rules.add(scoped('/a/b'));
    assert.equal(rules.for('app', 'a.example', '/a/b/c').length, 2);
    assert.equal(rules.for('app', 'a.example', '/ax').length, 1);
    assert.equal(rules.for('app', 'a.example', '/b').length, 0);
    assert.equal(rules.for('app', 'b.example', '/a').length, 0);
    assert.equal(rules.for('other', 'a.example', '/a').length, 0);
  });

  it('are gripSessionRulesMax at most, of which those stay that are repeated', () => {
    const rules = new SessionRules(2);
    for (const path of ['/a', '/b', '/a', '/c']) rules.add(scoped(path));
    assert.deepEqual(
      rules.all.map(({ pathPrefix }) => pathPrefix),
      ['/a', '/c'],
    );
  });
});
