import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { hasCompiler } from '../support/compiler.ts';
import { nativeProgram } from '../support/native.ts';
import { getRequest, numberedPayload, textFrame, webSocketHeaders } from '../support/payload.ts';
import type { Greeting, SubscriberReport } from '../support/subscribers.ts';
import { Subscribers } from '../support/subscribers.ts';

const MESSAGES = 50;

/** Sends bytes in slices of `size`, so that boundaries fall everywhere. */
async function sendSliced(socket: Socket, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    socket.write(bytes.subarray(at, at + size));
    // A turn of the event loop, so that slices are not joined again.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const event = (sequence: number) => `id: topic~${sequence}\ndata: ${numberedPayload(sequence)}\n\n`;
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const eventHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const frame = (text: string) => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
const upgradeHead = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';

/** What the subscribing program counts when a server answers its one subscription with these bytes. */
async function countOf(
  answer: Buffer,
  sliceBytes: number,
  protocol: 'sse' | 'websocket',
): Promise<SubscriberReport> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('data', () => void sendSliced(socket, answer, sliceBytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const requests = [getRequest('/', protocol === 'sse' ? {} : webSocketHeaders)];
  const subscribers = await Subscribers.open({ port, requests, connections: 1, protocol });
  const report = await subscribers.until((now) => now.bytes === answer.length);
  await subscribers.close();
  server.close();
  return report;
}

/**
 * What a client says after the handshake until it has said as much as a greeting and an answer to an empty message, and what it counts.
 * @param messages what the server says, a frame each, once it has been greeted
 * @param before what it says on a first connection instead
 */
async function greet(
  greeting: Greeting,
  messages: readonly string[],
  before?: readonly string[],
): Promise<{ readonly heard: Buffer; readonly report: SubscriberReport }> {
  const EMPTY_MESSAGE_BYTES = 8;
  const whole = greeting.frames.length + EMPTY_MESSAGE_BYTES;
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  let connections = 0;
  const server = createServer((socket) => {
    const isFirst = connections++ === 0 && before !== undefined;
    let heard: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(upgradeHead);
      socket.on('data', (data: Buffer) => {
        const greeted = heard.length >= greeting.frames.length;
        heard = Buffer.concat([heard, data]);
        if (!greeted && heard.length >= greeting.frames.length)
          for (const text of isFirst ? before : messages) socket.write(frame(text));
        if (heard.length >= whole) resolve(heard);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const requests = [getRequest('/', webSocketHeaders)];
  const subscribers = await Subscribers.open({
    port,
    requests,
    connections: 1,
    protocol: 'websocket',
    greeting,
  });
  const heard = await promise;
  const report = await subscribers.report();
  await subscribers.close();
  server.close();
  return { heard, report };
}

const sequences = Array.from({ length: MESSAGES }, (_, index) => index);

if (hasCompiler()) {
  for (const sliceBytes of [1, 7, 100, 100_000]) {
    test(`events in chunks are counted exactly when they arrive in slices of ${sliceBytes} bytes`, {}, async () => {
      const whole = sequences.map(event).join('');
      // The chunks cut messages too, and one holds several.
      const chunks = [whole.slice(0, 150), whole.slice(150, 1000), whole.slice(1000)].map(chunk).join('');
      const report = await countOf(Buffer.from(eventHead + chunks), sliceBytes, 'sse');
      assert.deepEqual(
        [report.messages, report.missing, report.repeated, report.foreign],
        [MESSAGES, 0, 0, 0],
      );
    });

    test(`frames are counted exactly when they arrive in slices of ${sliceBytes} bytes`, async () => {
      const frames = Buffer.concat(sequences.map((sequence) => frame(numberedPayload(sequence))));
      const report = await countOf(
        Buffer.concat([Buffer.from(upgradeHead), frames]),
        sliceBytes,
        'websocket',
      );
      assert.deepEqual(
        [report.messages, report.frames, report.missing, report.repeated],
        [MESSAGES, MESSAGES, 0, 0],
      );
    });
  }

  test('a message that is left out and one that comes twice are told apart', async () => {
    const events = [0, 1, 4, 5, 5, 6].map(event).join('');
    const report = await countOf(Buffer.from(eventHead + chunk(events)), 100_000, 'sse');
    assert.deepEqual([report.messages, report.missing, report.repeated], [6, 2, 1]);
  });

  test('the time of opening is taken of each subscription that opens', async () => {
    const CONNECTIONS = 7;
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(eventHead));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const subscribers = await Subscribers.open({
      port,
      requests: [getRequest('/', {})],
      connections: CONNECTIONS,
      protocol: 'sse',
    });
    await subscribers.reset();
    const openings = await subscribers.openings();
    const { openingUs, settledUs } = await subscribers.report();
    await subscribers.close();
    server.close();
    assert.equal(openings.total, CONNECTIONS);
    assert.ok(openings.maximum > 0);
    assert.ok(settledUs - openingUs >= openings.maximum);
  });

  test('a greeting is sent once the WebSocket is open, and an empty message is answered with one', async () => {
    const greeting = { frames: textFrame('hello'), answer: '"welcome"', refusal: '"error"' };
    const { heard, report } = await greet(greeting, ['{"wel', 'come"', numberedPayload(0), '{}']);
    const emptyMessage = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]);
    assert.deepEqual(heard, Buffer.concat([greeting.frames, emptyMessage]));
    assert.deepEqual([report.open, report.messages, report.refused], [1, 1, 0]);
  });

  test('a greeting that is refused is told and tried again', async () => {
    const greeting = { frames: textFrame('hello'), answer: '"welcome"', refusal: '"error"' };
    const { report } = await greet(greeting, ['"welcome"', '{}'], ['{"error":1}']);
    assert.deepEqual([report.open, report.refused], [1, 1]);
  });
} else {
  test('without a compiler the load generators say what to install', () => {
    assert.throws(() => nativeProgram('subscribe'), /apt-get install gcc/);
  });
}
