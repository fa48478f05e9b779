import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { WebSocket as WsClient } from 'ws';
import { publish } from '../../support/test-hub.ts';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';

/** More than the buffers of both kernels' sockets and the tail hold together. */
const MESSAGES = 80;
const MESSAGE_BYTES = 512 * 1024;

let server: EdgeServer;
before(async () => {
  server = await startEdgeServer({
    limits: { memoryPartitionBytesMax: 256 * 1024 * 1024, tailBytesMax: 1024 * 1024 },
  });
});
after(() => server.close());

/** A client that does not read while everything is published, and then does. Resolves with the close code and what it got. */
async function stall(
  policy: string,
): Promise<{ readonly received: readonly number[]; readonly code: number }> {
  const channel = `stalled/${policy}`;
  const client = new WsClient(`ws://127.0.0.1:${server.port}/v1/channels/${channel}?slow=${policy}`);
  await once(client, 'open');
  const received: number[] = [];
  client.on('message', (data: Buffer) => {
    received.push(data.readUInt32BE(0));
    if (data.readUInt32BE(0) === MESSAGES - 1) client.close(1000);
  });
  client.pause();
  for (let i = 0; i < MESSAGES; i++) {
    const data = Buffer.alloc(MESSAGE_BYTES);
    data.writeUInt32BE(i);
    await publish(server.hub, {
      channel,
      data,
      dataKind: 'binary',
      attributes: [],
      clientId: null,
      identitySource: '',
    });
  }
  client.resume();
  const [code] = await once(client, 'close');
  return { received, code };
}

describe('A WebSocket client that stops reading', () => {
  it('gets everything in order when it reads on, with the policy resume', async () => {
    const { received, code } = await stall('resume');
    assert.deepEqual(
      received,
      Array.from({ length: MESSAGES }, (_, i) => i),
    );
    assert.equal(code, 1000);
  });

  it('gets the latest, and what its socket held, with the policy drop', async () => {
    const { received } = await stall('drop');
    assert.ok(received.length < MESSAGES);
    assert.equal(received.at(-1), MESSAGES - 1);
    assert.deepEqual(
      received,
      received.toSorted((a, b) => a - b),
    );
  });

  it('is closed with 4408, with the policy close', async () => {
    const { received, code } = await stall('close');
    assert.equal(code, 4408);
    assert.deepEqual(
      received,
      received.map((_, i) => i),
    );
  });
});
