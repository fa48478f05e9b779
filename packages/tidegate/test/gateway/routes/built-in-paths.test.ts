import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInLength, precedesBuiltIn } from '../../../src/gateway/routes/built-in-paths.ts';
import type { RouteOptions } from '../../../src/gateway/routes/options.ts';
import { routeFor } from './fixture.ts';

const BUILT_IN = ['/v1/', '/connection/', '/emulation', '/api'];

test('a path is the server’s own by whole segments', () => {
  assert.equal(builtInLength('/v1/channels/a', BUILT_IN), 4);
  assert.equal(builtInLength('/v1', BUILT_IN), 0);
  assert.equal(builtInLength('/v10', BUILT_IN), 0);
  assert.equal(builtInLength('/api', BUILT_IN), 4);
  assert.equal(builtInLength('/api/publish', BUILT_IN), 4);
  assert.equal(builtInLength('/apis', BUILT_IN), 0);
  assert.equal(builtInLength('/v1/x', ['/v1/', '/v1/x']), 5);
  assert.equal(builtInLength('/orders', BUILT_IN), 0);
});

test('a route without host takes a path of the server only if it says as much of it', () => {
  const precedes = (match: RouteOptions['match'], path: string): boolean =>
    precedesBuiltIn(routeFor('r', match).match, builtInLength(path, BUILT_IN));
  assert.equal(precedes({}, '/v1/channels/a'), false);
  assert.equal(precedes({ path: '/{any}/channels/a' }, '/v1/channels/a'), false);
  assert.equal(precedes({ path: '/v1/*' }, '/v1/channels/a'), true);
  assert.equal(precedes({ path: '/v1/channels/{name}' }, '/v1/channels/a'), true);
  assert.equal(precedes({ path: '/emulation' }, '/emulation'), true);
  assert.equal(precedes({ path: '/api/*' }, '/api/publish'), true);
  assert.equal(precedes({}, '/orders'), true);
});

test('a route with a host has its host for itself', () => {
  const length = builtInLength('/v1/channels/a', BUILT_IN);
  assert.equal(precedesBuiltIn(routeFor('r', { host: 'a.example.com' }).match, length), true);
  assert.equal(precedesBuiltIn(routeFor('r', { host: '*.example.com' }).match, length), true);
});
