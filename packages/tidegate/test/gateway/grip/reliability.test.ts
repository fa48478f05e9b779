import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../../src/kernel/index.ts';
import type { RawClient } from '../../listeners/lab.ts';
import { until } from '../../listeners/lab.ts';
import { chunks, openGripLab } from './lab.ts';

/*
 * An origin that numbers its items, publishes them in any order, hints at random, and answers slowly; clients that come and stall at random; a gateway that
 * remembers little. Whatever happens, each client gets every number once and in order, from the one after which it came.
 */

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);
const STEPS = 60;

const below = (random: Random, count: number): number => random.uint32() % count;

for (const seed of SEEDS) {
  test(`every client gets every item once and in order (seed ${seed})`, async (t) => {
    const random = seededRandom(seed);
    const lab = await openGripLab(t, { gripRecoveryMessagesMax: 3, gripInstructBytesMax: 1024 });
    let last = 0;
    const fields = (): Record<string, string> => ({
      'Grip-Hold': 'stream',
      'Grip-Channel': `news; prev-id=${last}${below(random, 4) === 0 ? '; filter=skip-self' : ''}`,
      'Grip-Link': '</next>; rel=next',
    });
    lab.answers((request, response) => {
      const had = Number(request.headersDistinct['grip-last']?.[0].split('last-id=')[1] ?? last);
      const asked = request.url === '/next';
      const answer = (): void => {
        let body = asked ? '' : `from ${last}: `;
        for (let id = had + 1; asked && id <= last; id++) body += `${id} `;
        response.writeHead(200, fields());
        response.write(body);
        setImmediate(() => response.end());
      };
      if (below(random, 3) === 0) answer();
      else setTimeout(answer, below(random, 4));
    });
    const clients: RawClient[] = [];
    const publishing: Promise<unknown>[] = [];
    const publish = (): void => {
      const ids = Array.from({ length: 1 + below(random, 5) }, () => ++last);
      // Those that overtook each other wait for their turn.
      if (ids.length > 1 && below(random, 2) === 0) ids.push(ids.splice(below(random, ids.length - 1), 1)[0]);
      for (const id of ids) {
        const padding = '.'.repeat(below(random, 3) === 0 ? 20_000 : 1);
        const item = { channel: 'news', id: String(id), 'prev-id': String(id - 1) };
        publishing.push(lab.items({ ...item, 'http-stream': { content: `${id}${padding} ` } }));
      }
    };
    // Of a channel in which nothing was published nobody knows what comes first.
    await lab.items({ channel: 'news', id: '0', 'http-stream': { content: 'nothing' } });
    for (let step = 0; step < STEPS; step++) {
      switch (below(random, 7)) {
        case 0:
          clients.push(await lab.get());
          break;
        case 1:
          publishing.push(lab.items({ channel: 'news', 'http-stream': { action: 'hint' } }));
          break;
        case 2:
          clients[below(random, Math.max(1, clients.length))]?.socket.pause();
          break;
        case 3:
          for (const client of clients) client.socket.resume();
          break;
        case 4:
          await new Promise((resolve) => setTimeout(resolve, below(random, 5)));
          break;
        default:
          publish();
      }
    }
    publish();
    await Promise.all(publishing);
    for (const client of clients) client.socket.resume();
    for (const client of clients) {
      await until(
        () => new RegExp(` ${last}(?:: |[.]+ | )$`).test(chunks(client)),
        () => chunks(client).replaceAll(/\.+/g, ''),
      );
      const [, from, rest] = /^from (\d+): (.*)$/s.exec(chunks(client).replaceAll(/\.+/g, '')) ?? [];
      const expected = Array.from(
        { length: last - Number(from) },
        (_, index) => `${Number(from) + 1 + index} `,
      );
      assert.equal(rest, expected.join(''));
    }
  });
}
