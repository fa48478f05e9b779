import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { CHANNEL, handle } from '../../../../../examples/faas-echo/handler.ts';
import { event, publish } from '../../support/test-hub.ts';
import { type GatewayLab, type OriginServer, startGatewayLab, startOrigin } from './gateway-lab.ts';

let instances: OriginServer[];
let lab: GatewayLab;

async function answer(
  name: string,
  incoming: IncomingMessage,
  body: Buffer,
  outgoing: ServerResponse,
): Promise<void> {
  const request = new Request('http://function.example/', {
    method: 'POST',
    headers: Object.entries(incoming.headers).map(([key, value]): [string, string] => [key, String(value)]),
    body: new Uint8Array(body),
  });
  const response = await handle(request, name);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(new Uint8Array(await response.arrayBuffer()));
}

before(async () => {
  instances = await Promise.all(
    ['A', 'B'].map((name) => startOrigin((...asked) => void answer(name, ...asked))),
  );
  lab = await startGatewayLab({ mode: 'over_http', origins: instances.map(({ port }) => port) });
});
after(async () => {
  await lab.close();
  for (const instance of instances) await instance.close();
});

describe('The example of a function behind a WebSocket', () => {
  it('echoes from two instances, counts on, passes on what is published, and ends when it is told to', async () => {
    const client = new WebSocket(lab.url);
    const said: string[] = [];
    const next = async (): Promise<string> => String((await once(client, 'message'))[0]);
    said.push(await next());
    for (const text of ['one', 'two', 'three']) {
      client.send(text);
      said.push(await next());
    }
    assert.deepEqual(said, [
      'Hello from A.',
      'B echoes message 1: one',
      'A echoes message 2: two',
      'B echoes message 3: three',
    ]);
    const [published] = await Promise.all([next(), publish(lab.hub, event(CHANNEL, 'to all of you'))]);
    assert.equal(published, 'to all of you');
    client.send('bye');
    const [code, reason] = await once(client, 'close');
    assert.deepEqual([code, String(reason)], [1000, 'bye']);
  });

  it('goes on when one of the instances is gone', async () => {
    const [first, second] = await Promise.all(
      ['A', 'B'].map((name) => startOrigin((...asked) => void answer(name, ...asked))),
    );
    const own = await startGatewayLab({
      mode: 'over_http',
      origins: [first.port, second.port],
      limits: { gripSocketRetryDelayMs: 1 },
    });
    const client = new WebSocket(own.url);
    await once(client, 'message');
    await first.close();
    for (let count = 1; count <= 4; count++) {
      client.send('hello');
      assert.equal(String((await once(client, 'message'))[0]), `B echoes message ${count}: hello`);
    }
    client.close();
    await once(client, 'close');
    await own.close();
    await second.close();
  });

  it('refuses what is no request of a gateway', async () => {
    const response = await handle(new Request('http://function.example/', { method: 'GET' }), 'A');
    assert.equal(response.status, 406);
  });
});
