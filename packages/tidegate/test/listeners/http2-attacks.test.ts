import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { constants } from 'node:http2';
import { describe, test } from 'node:test';
import type { ByteChannel, HttpHandler } from '../../src/listeners/port.ts';
import { NO_OPENSSL } from '../support/certificates.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  GOAWAY,
  HEADERS,
  openSecureLab,
  PING,
  PREFACE,
  RawHttp2Client,
  RST_STREAM,
  requestFields,
  requestFrame,
  SETTINGS,
  setting,
  WINDOW_UPDATE,
} from './http2-lab.ts';
import { advanceUntil, RecordingOwner, until } from './lab.ts';

const SETTING_INITIAL_WINDOW = 4;

const fine: HttpHandler = (exchange) => exchange.respond(200, {}, 'fine');

const codeOf = (code: number): Buffer => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return payload;
};

const increment = codeOf;

describe('A client of HTTP/2', { skip: NO_OPENSSL }, () => {
  test('that speaks frame by frame is answered', async (t) => {
    const lab = await openSecureLab(t, fine);
    const client = await RawHttp2Client.open(t, lab);
    client.send(requestFrame(1));
    const { payload } = await client.frame(DATA, 1);
    assert.equal(String(payload), 'fine');
  });

  test('that begins requests and takes them back at once is cut off (CVE-2023-44487)', async (t) => {
    let begun = 0;
    const lab = await openSecureLab(t, () => void begun++, { http2ResetsMax: 50 });
    const client = await RawHttp2Client.open(t, lab);
    const CANCEL = codeOf(constants.NGHTTP2_CANCEL);
    for (let round = 0; round < 100 && !client.isClosed; round++) {
      const frames: Buffer[] = [];
      for (let request = 0; request < 10; request++) {
        const stream = 1 + 2 * (round * 10 + request);
        frames.push(requestFrame(stream), frame(RST_STREAM, 0, stream, CANCEL));
      }
      client.send(...frames);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.notEqual(await client.ended(), constants.NGHTTP2_NO_ERROR);
    assert.ok(begun <= 100, `${begun} requests were begun`);
    // The last stream that was looked at (RFC 9113, section 6.8): no later than the 100th.
    const { payload } = await client.frame(GOAWAY);
    assert.ok(payload.readUInt32BE(0) < 2 * 100, `stream ${payload.readUInt32BE(0)}`);
    assert.equal(lab.metric('tidegate_http_connections_ended_total{fault}'), 1);
    await until(() => lab.metric('tidegate_http_connections_open') === 0);
  });

  test('that takes a few requests back is served on', async (t) => {
    const lab = await openSecureLab(t, fine, { http2ResetsMax: 50 });
    const client = await RawHttp2Client.open(t, lab);
    for (let request = 0; request < 40; request++) {
      const stream = 1 + 2 * request;
      client.send(requestFrame(stream), frame(RST_STREAM, 0, stream, codeOf(constants.NGHTTP2_CANCEL)));
    }
    client.send(requestFrame(101));
    assert.equal(String((await client.frame(DATA, 101)).payload), 'fine');
  });

  test('whose head never ends is cut off before it fills the memory (CVE-2024-27983)', async (t) => {
    const lab = await openSecureLab(t, () => assert.fail('it was taken'));
    const client = await RawHttp2Client.open(t, lab);
    client.send(frame(HEADERS, END_STREAM, 1, fieldBlock(requestFields())));
    for (let round = 0; round < 200 && !client.isClosed; round++) {
      client.send(frame(CONTINUATION, 0, 1, fieldBlock([[`x-${round}`, 'y'.repeat(1000)]])));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.notEqual(await client.ended(), constants.NGHTTP2_NO_ERROR);
  });

  test('that sends PING after PING is told to calm down and cut off', async (t) => {
    const lab = await openSecureLab(t, fine, { http2ControlFramesMax: 50 });
    const client = await RawHttp2Client.open(t, lab);
    for (let round = 0; round < 49; round++) client.send(frame(PING, 0, 0, Buffer.alloc(8)));
    client.send(requestFrame(1));
    await client.frame(DATA, 1);
    for (let round = 0; round < 10; round++) client.send(frame(PING, 0, 0, Buffer.alloc(8)));
    assert.equal(await client.ended(), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    assert.equal(lab.metric('tidegate_http_connections_ended_total{control_frames}'), 1);
  });

  test('that sends SETTINGS after SETTINGS is told to calm down and cut off', async (t) => {
    const lab = await openSecureLab(t, fine, { http2ControlFramesMax: 50 });
    const client = await RawHttp2Client.open(t, lab);
    const settings = frame(SETTINGS, 0, 0, setting(SETTING_INITIAL_WINDOW, 65_535));
    client.send(...Array.from({ length: 60 }, () => settings));
    assert.equal(await client.ended(), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  test('may send as many again after a while', async (t) => {
    const held: HttpHandler = (exchange) => void (exchange.request.path === '/held' || fine(exchange));
    const lab = await openSecureLab(t, held, { http2ControlFramesMax: 50 });
    const client = await RawHttp2Client.open(t, lab);
    client.send(requestFrame(1, '/held'));
    for (let round = 0; round < 5; round++) {
      client.send(...Array.from({ length: 40 }, () => frame(PING, 0, 0, Buffer.alloc(8))));
      const pongs = 40 * (round + 1);
      await until(
        () => client.frames.filter(({ type, flags }) => type === PING && flags === ACK).length === pongs,
      );
      lab.clock.advance(10_000);
    }
    client.send(requestFrame(3));
    await client.frame(DATA, 3);
  });

  test('that sends empty pieces of a body without end is cut off (CVE-2019-9518)', async (t) => {
    const lab = await openSecureLab(t, () => {});
    const client = await RawHttp2Client.open(t, lab);
    const fields = requestFields().map(
      ([name, value]) => [name, name === ':method' ? 'POST' : value] as const,
    );
    client.send(frame(HEADERS, END_HEADERS, 1, fieldBlock(fields)));
    client.send(...Array.from({ length: 500 }, () => frame(DATA, 0, 1)));
    assert.notEqual(await client.ended(), constants.NGHTTP2_NO_ERROR);
  });

  test('whose window never opens loses its answer, and not the connection', async (t) => {
    const lab = await openSecureLab(t, fine);
    const client = await RawHttp2Client.open(t, lab, setting(SETTING_INITIAL_WINDOW, 0));
    client.send(requestFrame(1));
    await client.frame(HEADERS, 1);
    assert.equal(client.dataBytes(1), 0);
    lab.clock.advance(lab.limits.httpBodyIdleTimeoutMs * 2);
    await client.frame(RST_STREAM, 1);
    client.send(requestFrame(3), frame(WINDOW_UPDATE, 0, 3, increment(100)));
    assert.equal(String((await client.frame(DATA, 3)).payload), 'fine');
  });

  test('whose window never opens loses its stream once that has stalled for long', async (t) => {
    const owner = new RecordingOwner();
    const channels: ByteChannel[] = [];
    const lab = await openSecureLab(
      t,
      (exchange) => void channels.push(exchange.stream(200, {}, owner, 'close')),
    );
    const client = await RawHttp2Client.open(t, lab, setting(SETTING_INITIAL_WINDOW, 0));
    client.send(requestFrame(1));
    await client.frame(HEADERS, 1);
    // A stream on which nothing is to be sent may stay as long as it likes.
    lab.clock.advance(lab.limits.http2StallTimeoutMs * 3);
    assert.deepEqual(owner.told, []);
    let heldBytes = 16_384;
    while (channels[0].write(Buffer.alloc(16_384))) heldBytes += 16_384;
    assert.ok(heldBytes <= 128 * 1024, `${heldBytes} bytes wait for it`);
    lab.clock.advance(lab.limits.http2StallTimeoutMs / 2);
    assert.deepEqual(owner.told, []);
    lab.clock.advance(lab.limits.http2StallTimeoutMs * 2);
    await client.frame(RST_STREAM, 1);
    await until(() => owner.told.length > 0);
    assert.deepEqual(owner.told, ['closed']);
  });

  test('whose window opens a little at a time gets all, in order', async (t) => {
    const owner = new RecordingOwner();
    const channels: ByteChannel[] = [];
    const lab = await openSecureLab(
      t,
      (exchange) => void channels.push(exchange.stream(200, {}, owner, 'close')),
    );
    const client = await RawHttp2Client.open(t, lab, setting(SETTING_INITIAL_WINDOW, 0));
    client.send(requestFrame(1));
    await client.frame(HEADERS, 1);
    let written = 0;
    for (let isTaken = true; isTaken; written += 16_384) isTaken = channels[0].write(Buffer.alloc(16_384));
    for (let opened = 0; opened < written; opened += 8192) {
      client.send(frame(WINDOW_UPDATE, 0, 1, increment(8192)), frame(WINDOW_UPDATE, 0, 0, increment(8192)));
    }
    await until(() => client.dataBytes(1) === written);
    await until(() => owner.told.length > 0);
    assert.deepEqual(owner.told, ['drained']);
  });

  test('with more fields than are looked at has its stream reset, and goes on', async (t) => {
    const lab = await openSecureLab(t, fine, { httpHeadersMax: 10 });
    const client = await RawHttp2Client.open(t, lab);
    const many = Array.from({ length: 100 }, (_, index) => [`x-${index}`, 'y'] as const);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, fieldBlock([...requestFields(), ...many])));
    const { payload } = await client.frame(RST_STREAM, 1);
    assert.equal(payload.readUInt32BE(0), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    client.send(requestFrame(3));
    await client.frame(DATA, 3);
  });

  test('with a head larger than is looked at has its stream reset, and goes on', async (t) => {
    const lab = await openSecureLab(t, fine, { httpHeadBytesMax: 1024 });
    const client = await RawHttp2Client.open(t, lab);
    // The limit holds once the client has agreed to the settings, and a request tells that it has.
    client.send(requestFrame(1));
    await client.frame(DATA, 1);
    const large = fieldBlock([...requestFields(), ['x-large', 'y'.repeat(4096)]]);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, large));
    await client.frame(RST_STREAM, 3);
    client.send(requestFrame(5));
    await client.frame(DATA, 5);
  });

  test('with more streams than it was allowed has them refused, and is cut off in the end', async (t) => {
    let begun = 0;
    const lab = await openSecureLab(t, () => void begun++, { http2StreamsMax: 10 });
    const client = await RawHttp2Client.open(t, lab);
    for (let request = 0; request < 300 && !client.isClosed; request++) {
      client.send(requestFrame(1 + 2 * request));
      if (request % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.notEqual(await client.ended(), constants.NGHTTP2_NO_ERROR);
    assert.equal(begun, 10);
  });

  test('that does not agree to the settings is held to them all the same', async (t) => {
    let begun = 0;
    const lab = await openSecureLab(t, () => void begun++, { http2StreamsMax: 10 });
    const client = await RawHttp2Client.open(t, lab, null);
    client.send(PREFACE, frame(SETTINGS, 0, 0));
    for (let request = 0; request < 300 && !client.isClosed; request++) {
      client.send(requestFrame(1 + 2 * request));
      if (request % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.notEqual(await client.ended(), constants.NGHTTP2_NO_ERROR);
    assert.equal(begun, 10);
  });

  test('that says nothing after the handshake is closed', async (t) => {
    const lab = await openSecureLab(t, fine);
    const client = await RawHttp2Client.open(t, lab, null);
    await until(() => lab.metric('tidegate_tls_handshakes_total{h2}') === 1);
    const stepMs = lab.limits.httpLingerTimeoutMs / 2;
    await advanceUntil(lab.clock, stepMs, () => client.frames.some(({ type }) => type === GOAWAY));
    await advanceUntil(lab.clock, stepMs, () => client.isClosed);
    await until(() => lab.metric('tidegate_http_connections_open') === 0);
  });

  test('that speaks something else is cut off', async (t) => {
    const lab = await openSecureLab(t, fine);
    const client = await RawHttp2Client.open(t, lab, null);
    client.send(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    await client.ended();
    await until(() => lab.metric('tidegate_http_connections_open') === 0);
  });
});
