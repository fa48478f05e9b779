import assert from 'node:assert/strict';
import test from 'node:test';
import { linePair } from '../../support/line-pair.ts';
import { openGatewayLab, openOrigin } from '../lab.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

test('what is purged or changed in one process is served from the cache of no other', async (t) => {
  const origin = await openOrigin(t);
  const options = {
    routes: { all: { match: { path: '/*' as const }, upstream: 'app', cache: {} } },
    upstreams: { app: { targets: [{ url: origin.url }] } },
  };
  const [owner, one, two] = [
    await openGatewayLab(t, options),
    await openGatewayLab(t, options),
    await openGatewayLab(t, options),
  ];
  const lines = [linePair(), linePair()];
  for (const [at, lab] of [one, two].entries()) {
    owner.gateway.serve(lines[at].owner);
    lab.gateway.serve(lines[at].worker);
  }
  const deliver = (): void => {
    for (let i = 0; i < 2; i++) for (const line of lines) line.deliver();
  };
  const labs = [owner, one, two];
  const clients = await Promise.all(labs.map((lab) => lab.connect()));
  const fill = async (path: string, body: string): Promise<void> => {
    for (const client of clients) {
      client.send(get(path));
      const connection =
        origin.connections.find(({ received }) => received !== '') ?? (await origin.connection());
      await connection.request();
      connection.answer(body, 'Cache-Control: max-age=100\r\nSurrogate-Key: all\r\n');
      await client.take(body);
    }
  };
  const stored = (): number[] => labs.map((lab) => lab.gateway.cache.responses);

  await fill('/a', 'first');
  assert.deepEqual(stored(), [1, 1, 1]);
  one.gateway.purge({ surrogateKey: 'all' }, '');
  deliver();
  assert.deepEqual(stored(), [0, 0, 0]);
});
