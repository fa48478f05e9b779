import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTES_MAX, routeName, routeResource, spread } from '../support/routes.ts';

test('what is sent for any route has the same length, so that one can stand in the place of another', () => {
  for (const index of [0, 9, 10, 999, ROUTES_MAX - 1]) {
    assert.equal(routeName(index).length, routeName(0).length);
    assert.equal(
      JSON.stringify(routeResource(index, 'a')).length,
      JSON.stringify(routeResource(0, 'b')).length,
    );
  }
});

for (const routes of [2, 5, 1000, 5000]) {
  test(`of ${routes} routes each is taken as often as the others, and none twice running`, () => {
    const taken = spread(routes * 3, routes);
    const counts = new Map<number, number>();
    for (const index of taken) counts.set(index, (counts.get(index) ?? 0) + 1);
    assert.equal(counts.size, routes);
    assert.deepEqual([...new Set(counts.values())], [3]);
    assert.ok(taken.every((index) => index >= 0 && index < routes));
    assert.ok(taken.every((index, at) => index !== taken[at + 1]));
  });
}
