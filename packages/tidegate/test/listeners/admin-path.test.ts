import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchPath } from '../../src/listeners/admin-path.ts';

test('a path without parameters matches itself alone', () => {
  assert.deepEqual(matchPath('/api/topic', '/api/topic'), {});
  for (const path of ['/api/topics', '/api', '/api/topic/', '/api/topic/orders', 'api/topic']) {
    assert.equal(matchPath('/api/topic', path), null, path);
  }
});

test('a segment in braces stands for any one segment, percent-decoded', () => {
  assert.deepEqual(matchPath('/api/topic/{name}', '/api/topic/orders'), { name: 'orders' });
  assert.deepEqual(matchPath('/api/topic/{name}', '/api/topic/a%2Fb%20%C3%A4'), { name: 'a/b ä' });
  assert.deepEqual(matchPath('/api/{kind}/{name}', '/api/topic/x'), { kind: 'topic', name: 'x' });
});

test('an empty segment and one with broken encoding match nothing', () => {
  for (const path of ['/api/topic/', '/api/topic/%', '/api/topic/%ff', '/api/topic/a/b']) {
    assert.equal(matchPath('/api/topic/{name}', path), null, path);
  }
});
