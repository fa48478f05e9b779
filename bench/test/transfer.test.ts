import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { startBodiesOrigin } from '../peers/proxies/origins.ts';
import type { ProxyServer } from '../peers/proxies/proxy-server.ts';
import { hasCompiler } from '../support/compiler.ts';
import { type Direction, type TransferResult, Transfers } from '../support/transfers.ts';

const skip = !hasCompiler();
/** Longer than what sockets hold by themselves, and no multiple of anything. */
const BODY_BYTES = 3_000_017;
const CONNECTIONS = 3;
const DIRECTIONS: readonly Direction[] = ['download', 'upload'];

let origin: ProxyServer;
before(async () => {
  if (!skip) origin = await startBodiesOrigin(BODY_BYTES);
});
after(() => origin?.stop());

async function transfer(
  port: number,
  direction: Direction,
  { target = '/', bytesPerSecond = 0 } = {},
): Promise<TransferResult> {
  const transfers = await Transfers.prepare({
    port,
    target,
    direction,
    connections: CONNECTIONS,
    bodyBytes: BODY_BYTES,
    seconds: 0,
    bytesPerSecond,
  });
  return transfers.run();
}

/** What a relay does to the bytes that it passes on, which begin at `offset` of all that went in their direction. */
type Meddling = (bytes: Buffer, offset: number) => Buffer | null;

/** Transfers through a relay. With `null` instead of bytes it hangs up. */
async function relayed(direction: Direction, meddle: Meddling): Promise<TransferResult> {
  const relay = createServer((client) => {
    const server = connect(origin.port, '127.0.0.1');
    const [from, to] = direction === 'download' ? [server, client] : [client, server];
    let offset = 0;
    from.on('data', (bytes: Buffer) => {
      const passed = meddle(bytes, offset);
      offset += bytes.length;
      if (passed !== null) to.write(passed);
      else for (const socket of [client, server]) socket.destroy();
    });
    to.on('data', (bytes: Buffer) => from.write(bytes));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const result = await transfer((relay.address() as AddressInfo).port, direction);
  relay.close();
  return result;
}

/** Somewhere in the middle of a body, whatever the head before it. */
const PLACE = 1_234_567;
const holds = (bytes: Buffer, offset: number): boolean => offset <= PLACE && PLACE < offset + bytes.length;

for (const direction of DIRECTIONS) {
  test(`${direction}s come whole, one on each connection at least`, { skip }, async () => {
    const { done, failed, latencies } = await transfer(origin.port, direction);
    assert.deepEqual([done, failed, latencies.total], [CONNECTIONS, 0, CONNECTIONS]);
  });

  test(`${direction}s come whole when either end is slow`, { skip }, async () => {
    const bytesPerSecond = 10_000_000;
    for (const pace of [{ bytesPerSecond }, { target: `/?rate=${bytesPerSecond}` }]) {
      const { done, failed, latencies } = await transfer(origin.port, direction, pace);
      assert.deepEqual([done, failed], [CONNECTIONS, 0]);
      const soonestUs = (BODY_BYTES / bytesPerSecond) * 1e6;
      // What sockets hold need not be waited for by who sends at its pace.
      assert.ok(latencies.percentile(1) > soonestUs * 0.9, `one took ${latencies.percentile(1)} µs`);
    }
  });

  test(`${direction}s through a relay that changes nothing come whole`, { skip }, async () => {
    const { done, failed } = await relayed(direction, (bytes) => bytes);
    assert.deepEqual([done, failed], [CONNECTIONS, 0]);
  });

  test(`a changed byte makes ${direction}s fail`, { skip }, async () => {
    const { done, failed } = await relayed(direction, (bytes, offset) => {
      if (!holds(bytes, offset)) return bytes;
      const changed = Buffer.from(bytes);
      changed[PLACE - offset]! ^= 1;
      return changed;
    });
    assert.deepEqual([done, failed], [0, CONNECTIONS]);
  });

  test(`bytes that come in another order make ${direction}s fail`, { skip }, async () => {
    const { done, failed } = await relayed(direction, (bytes, offset) =>
      holds(bytes, offset) ? Buffer.concat([bytes.subarray(1), bytes.subarray(0, 1)]) : bytes,
    );
    assert.deepEqual([done, failed], [0, CONNECTIONS]);
  });

  test(`a connection that ends makes ${direction}s fail`, { skip }, async () => {
    const { done, failed } = await relayed(direction, (bytes, offset) =>
      holds(bytes, offset) ? null : bytes,
    );
    assert.deepEqual([done, failed], [0, CONNECTIONS]);
  });
}
