import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { clock, eachTestHasAHub } from '../../support/hub-fixture.ts';
import { SessionLab } from './session-lab.ts';

eachTestHasAHub();

const channel = fc.constantFrom('a', 'b', 'orders/1', 'orders/#', 'wide/#', '_no');
const position = fc.record({ epoch: fc.constantFrom('', 'x'), offset: fc.nat({ max: 5 }) });

/** Commands that are well formed, if not always sensible. */
const command = fc.oneof(
  fc.record({
    subscribe: fc
      .tuple(channel, fc.boolean(), position, fc.constantFrom('', 'fossil'), fc.boolean())
      .map(([name, recover, at, delta, join_leave]) => ({
        channel: name,
        recover,
        ...at,
        delta,
        join_leave,
      })),
  }),
  fc.record({ unsubscribe: fc.record({ channel }) }),
  fc.record({ publish: fc.record({ channel, data: fc.jsonValue() }) }),
  fc.record({
    history: fc
      .tuple(channel, fc.integer({ min: -1, max: 3 }), fc.option(position), fc.boolean())
      .map(([name, limit, since, reverse]) => ({ channel: name, limit, since, reverse })),
  }),
  fc.record({ presence: fc.record({ channel }) }),
  fc.record({ presence_stats: fc.record({ channel }) }),
  fc.record({ unsubscribe: fc.record({ channel }) }),
  fc.record({ rpc: fc.record({ method: fc.constant('x'), data: fc.constant(1) }) }),
  fc.record({ sub_refresh: fc.record({ channel, token: fc.constant('t') }) }),
);

/** What happens to a session. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.array(command, { minLength: 1, maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constantFrom('full', 'drained', 'turn' as const) },
);

it('answers every command once, unless it ends the connection, whatever comes in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const lab = new SessionLab();
      // One that is no good at all would end the connection.
      lab.access.expired.add('t');
      const client = await lab.connect();
      let id = 1;
      const answered: number[] = [];
      const listen = (): void => {
        for (const reply of client.take()) if (typeof reply.id === 'number') answered.push(reply.id);
      };
      for (const each of steps) {
        if (each === 'full') client.room = false;
        else if (each === 'drained') client.drain();
        else if (each === 'turn') await clock.settle();
        else client.sendText(each.map((one) => JSON.stringify({ id: ++id, ...one })).join('\n'));
        listen();
      }
      client.drain();
      for (let i = 0; i < 3; i++) {
        await clock.settle();
        client.drain();
        listen();
      }
      const sent = Array.from({ length: id - 1 }, (_, i) => i + 2);
      if (client.ended === null) {
        assert.deepEqual(
          [...answered].sort((a, b) => a - b),
          sent,
        );
      } else {
        assert.deepEqual(client.ended, { code: 3501, reason: 'bad request' });
        assert.equal(new Set(answered).size, answered.length);
      }
      client.session.closed();
      assert.equal(lab.context.presence.size, 0);
      assert.equal(lab.context.clients.size, 0);
      assert.equal(lab.access.held, 0);
    }),
    { numRuns: 150 },
  );
});
