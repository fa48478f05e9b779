import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalPath, normalPathOfText } from '../../../src/gateway/routes/normal-path.ts';

test('what means the same is written the same, and what does not stays as it was', () => {
  const cases: readonly (readonly [path: string, normal: string])[] = [
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/%61%2D%2e%5F%7Ez', '/a-._~z'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%2F..%2Fb', '/a%2F..%2Fb'],
    ['/a//b/', '/a//b/'],
    ['/a;v=1/b', '/a;v=1/b'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/..', '/'],
    ['/../../etc', '/etc'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/%2e', '/a/'],
    ['/.well-known/x', '/.well-known/x'],
    ['/a/...', '/a/...'],
    ['*', '*'],
  ];
  for (const [path, normal] of cases) assert.equal(normalPath(path), normal, path);
});

test('a percent sign without two hexadecimal digits is refused', () => {
  for (const path of ['/%', '/a%2', '/%zz', '/%2', '/100%/x', '/%%41'])
    assert.throws(() => normalPath(path), { code: 'http_malformed' }, path);
});

test('a normal path is normal, and no dot segment survives whatever it is encoded as', () => {
  const piece = fc.constantFrom('a', '/', '.', '..', '%2e', '%2E', '%2f', '%41', '//', ';', '%25', '%c3%a9');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const normal = normalPath(`/${pieces.join('')}`);
      assert.equal(normalPath(normal), normal);
      assert.ok(normal.startsWith('/'));
      for (const segment of normal.split('/')) assert.ok(segment !== '.' && segment !== '..', normal);
    }),
  );
});

test('the path of a route may be written as people write it', () => {
  assert.equal(normalPathOfText('/café/{id}/*'), '/caf%C3%A9/{id}/*');
  assert.equal(normalPathOfText('/caf%c3%a9'), '/caf%C3%A9');
});
