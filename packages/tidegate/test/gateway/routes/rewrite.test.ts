import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteOptions } from '../../../src/gateway/routes/options.ts';
import { rewritePath } from '../../../src/gateway/routes/rewrite.ts';
import { routeOf } from '../../../src/gateway/routes/route.ts';
import { RouteTable } from '../../../src/gateway/routes/route-table.ts';
import { requestFor } from './fixture.ts';

/** What the origin is asked for when a client asks for `path`. */
function rewritten(match: string, rewrite: RouteOptions['rewrite'], path: string): string | undefined {
  const route = routeOf('r', { match: { path: match }, upstream: 'origin', rewrite });
  const hit = RouteTable.of([route]).match(requestFor('h', path));
  if (hit === null || route.rewrite === null) return undefined;
  return rewritePath(route.rewrite, route.match.path, hit.path, hit.parameters);
}

test('a prefix is taken away by whole segments, and what is left begins with a slash', () => {
  const rewrite = { stripPrefix: '/api' };
  assert.equal(rewritten('/api/*', rewrite, '/api/orders/1'), '/orders/1');
  assert.equal(rewritten('/api/*', rewrite, '/api/'), '/');
  assert.equal(rewritten('/api/*', rewrite, '/api'), '/');
  assert.equal(rewritten('/*', rewrite, '/apiary'), '/apiary');
});

test('a prefix is put before the rest', () => {
  assert.equal(rewritten('/*', { addPrefix: '/v2' }, '/orders'), '/v2/orders');
  assert.equal(rewritten('/*', { addPrefix: '/v2' }, '/'), '/v2/');
  assert.equal(rewritten('/api/*', { stripPrefix: '/api', addPrefix: '/v2' }, '/api'), '/v2');
  assert.equal(rewritten('/api/*', { stripPrefix: '/api', addPrefix: '/v2' }, '/api/x'), '/v2/x');
  assert.equal(rewritten('/api/*', { stripPrefix: '/api', addPrefix: '/é' }, '/api/x'), '/%C3%A9/x');
});

test('a template takes parameters and what the star stood for', () => {
  const rewrite = { path: '/shop/{item}/of/{id}/*' };
  assert.equal(
    rewritten('/orders/{id}/items/{item}/*', rewrite, '/orders/1/items/2/x/y'),
    '/shop/2/of/1/x/y',
  );
  assert.equal(rewritten('/orders/{id}/items/{item}/*', rewrite, '/orders/1/items/2'), '/shop/2/of/1');
  assert.equal(rewritten('/orders/{id}/items/{item}/*', rewrite, '/orders/1/items/2/'), '/shop/2/of/1/');
  assert.equal(rewritten('/orders/{id}', { path: '/o' }, '/orders/1'), '/o');
  assert.equal(rewritten('/x/*', { path: '/*' }, '/x'), '/');
  assert.equal(rewritten('/x/*', { path: '/*' }, '/x/y'), '/y');
  assert.equal(rewritten('/*', { path: '/all/*' }, '/x/y'), '/all/x/y');
  assert.equal(rewritten('/*', { path: '/all/*' }, '/'), '/all/');
});

test('a parameter stays encoded, so that it stays one segment', () => {
  assert.equal(rewritten('/files/{name}', { path: '/f/{name}' }, '/files/a%2f..%2fb'), '/f/a%2F..%2Fb');
});
