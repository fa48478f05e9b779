import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCompiler } from '../support/compiler.ts';
import { blankPayload, postRequest } from '../support/payload.ts';
import { Publisher, type PublishResult } from '../support/publisher.ts';

const skip = !hasCompiler();
/** How long the sender is kept from running. What is asserted are lower bounds, which hold however busy the machine is. */
const STOPPED_MS = 400;
const unit = postRequest('/', blankPayload());
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** Publishes on one connection by a schedule, to a server that does with each request as `answer` says. */
async function publish(
  rate: number,
  seconds: number,
  answer: (socket: Socket, request: number, publisher: Publisher) => Promise<void>,
): Promise<PublishResult> {
  let requests = 0;
  const started = Promise.withResolvers<Publisher>();
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    // One request at a time is under way, and each is small enough to come in one piece.
    socket.on('data', async () => answer(socket, requests++, await started.promise));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const publisher = await Publisher.connect(
    { label: 'one', port, connections: 1, unit, answers: 'response' },
    seconds,
    rate,
  );
  started.resolve(publisher);
  const result = await publisher.run();
  server.close();
  assert.equal(result.accepted, result.sent);
  assert.equal(result.serverLatencies.total, result.sent);
  assert.equal(result.ownLateness.total, result.sent);
  return result;
}

const sent = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.write(ANSWER, () => resolve());
  });

test('an answer that the sender is late to read is not charged to the server', { skip }, async () => {
  const { latencies, serverLatencies, ownLateness } = await publish(1, 1, async (socket, _, { pid }) => {
    process.kill(pid, 'SIGSTOP');
    await sent(socket);
    await delay(STOPPED_MS);
    process.kill(pid, 'SIGCONT');
  });
  const notCharged = latencies.maximum - serverLatencies.maximum - ownLateness.maximum;
  assert.ok(notCharged > (STOPPED_MS - 50) * 1000, `${notCharged} µs were not charged`);
});

test('what the sender is late to send is told apart', { skip }, async () => {
  const RATE = 20;
  const result = await publish(RATE, 2, async (socket, request, { pid }) => {
    await sent(socket);
    if (request > 0) return;
    process.kill(pid, 'SIGSTOP');
    await delay(STOPPED_MS);
    process.kill(pid, 'SIGCONT');
  });
  // The first that was due while it stood still was due within one interval.
  const intervalMs = 1000 / RATE;
  assert.ok(
    result.ownLateness.maximum > (STOPPED_MS - intervalMs - 50) * 1000,
    `it was ${result.ownLateness.maximum} µs late`,
  );
  assert.ok(result.latencies.maximum >= result.ownLateness.maximum);
});

test('waiting for a server that is busy on all connections is charged to the server', { skip }, async () => {
  const REQUESTS = 5;
  const EACH_MS = 100;
  const result = await publish(1000, REQUESTS / 1000, async (socket) => {
    await delay(EACH_MS);
    await sent(socket);
  });
  assert.equal(result.sent, REQUESTS);
  // The last was due almost at the beginning, and answered after all others.
  const { maximum } = result.serverLatencies;
  assert.ok(maximum > (REQUESTS - 1) * EACH_MS * 1000, `${maximum} µs were charged`);
});
