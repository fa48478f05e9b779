import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { ByteWriter } from '../../../src/kernel/index.ts';
import {
  endSseEvent,
  type SseDataKind,
  type SseEvent,
  SseParser,
  sseEventBytes,
  writeSseComment,
  writeSseEvent,
  writeSseField,
} from '../../../src/wire/sse/index.ts';

interface Given {
  readonly name: string;
  readonly id: string;
  readonly data: Uint8Array;
  readonly kind: SseDataKind;
}

function write(...events: readonly Partial<Given>[]): Buffer {
  const out = new ByteWriter(16);
  for (const event of events) {
    const { name = '', id = '', data = Buffer.alloc(0), kind = 'text' } = event;
    // The data lies somewhere inside a larger buffer, as in a stored batch.
    const surrounded = Buffer.concat([Buffer.from('\r\n'), data, Buffer.from('\r\n')]);
    writeSseEvent(out, name, id, surrounded, 2, 2 + data.length, kind);
  }
  return out.take();
}

function parse(stream: Uint8Array): SseEvent[] {
  const events: SseEvent[] = [];
  new SseParser({ event: (event) => events.push(event) }, 1 << 24).push(stream);
  return events;
}

const written = (data: string, changes: Partial<Given> = {}): string =>
  write({ data: Buffer.from(data), ...changes }).toString();

describe('The SSE writer', () => {
  it('sends each line of a text in a data field of its own', () => {
    assert.equal(written('one\ntwo\n', { id: 'c~1' }), 'id: c~1\ndata: one\ndata: two\ndata: \n\n');
  });

  it('sends an event even if the data is empty', () => {
    assert.equal(written(''), 'data: \n\n');
    assert.deepEqual(parse(write({})), [{ name: 'message', lastEventId: '', data: '' }]);
  });

  it('names the event first, if asked', () => {
    assert.equal(written('x', { name: 'order.paid', id: '7' }), 'event: order.paid\nid: 7\ndata: x\n\n');
  });

  it('sends a text with a carriage return as base64, and says so', () => {
    assert.equal(written('a\rb'), 'event: base64\ndata: YQ1i\n\n');
    assert.equal(written('a\r\nb', { name: 'n', id: '7' }), 'event: n;base64\nid: 7\ndata: YQ0KYg==\n\n');
  });

  it('sends data that is not UTF-8 as base64, and binary data that is UTF-8 as it is', () => {
    assert.equal(
      write({ data: Buffer.of(0xff, 0x0a), kind: 'unknown' }).toString(),
      'event: base64\ndata: /wo=\n\n',
    );
    assert.equal(written('ä\nb', { kind: 'unknown' }), 'data: ä\ndata: b\n\n');
  });

  it('treats long texts like short ones', () => {
    const line = 'é'.repeat(400);
    assert.equal(written(`${line}\n\n${line}`), `data: ${line}\ndata: \ndata: ${line}\n\n`);
    assert.equal(written(`${line}\r`).split('\n')[0], 'event: base64');
  });

  it('lets no value forge a field', () => {
    const out = new ByteWriter();
    writeSseField(out, 'event', 'a\ndata: forged\r\0b');
    assert.equal(out.take().toString(), 'event: a data: forged  b\n');
  });

  it('writes comments, retry and bare ids that every client understands', () => {
    const out = new ByteWriter();
    writeSseComment(out);
    writeSseComment(out, 'still here');
    writeSseField(out, 'retry', '1500');
    writeSseField(out, 'id', 'c~9');
    endSseEvent(out);
    const bytes = out.take();
    assert.equal(bytes.toString(), ':\n: still here\nretry: 1500\nid: c~9\n\n');
    const comments: string[] = [];
    const delays: number[] = [];
    const parser = new SseParser(
      {
        event: () => assert.fail(),
        comment: (text) => comments.push(text),
        retry: (delayMs) => delays.push(delayMs),
      },
      1000,
    );
    parser.push(bytes);
    assert.deepEqual([comments, delays, parser.lastEventId], [['', 'still here'], [1500], 'c~9']);
  });
});

/** Bytes that are often text, and often have line ends in unpleasant places. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.string({ unit: 'grapheme', maxLength: 700 }).map((text) => Buffer.from(text)),
  fc
    .array(fc.constantFrom('\n', '\r', ' ', ':', 'data', '\ufeff', '\0', 'x'), { maxLength: 24 })
    .map((parts) => Buffer.from(parts.join(''))),
);
const name = fc.constantFrom('', 'order.paid', 'größe');
const id = fc.constantFrom('', 'orders~Q3kZ8fTn1xYb~0~18');

describe('What the SSE writer wrote', () => {
  it('comes out of our parser intact, however the stream is cut', () => {
    const property = fc.property(
      fc.array(fc.record({ data: payload, name, id }), { maxLength: 4 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      (events, cuts) => {
        const stream = write(...events.map((event) => ({ ...event, kind: 'unknown' as const })));
        const received: SseEvent[] = [];
        const parser = new SseParser({ event: (event) => received.push(event) }, 1 << 20);
        let from = 0;
        for (const cut of [...cuts.toSorted((a, b) => a - b), stream.length]) {
          const to = Math.max(from, Math.min(cut, stream.length));
          parser.push(stream.subarray(from, to));
          from = to;
        }
        assert.deepEqual(
          received.map((event) => sseEventBytes(event).toString('hex')),
          events.map(({ data }) => Buffer.from(data).toString('hex')),
        );
        assert.deepEqual(
          received.map((event) => event.name.replace(/;?base64$/, '').replace('message', '')),
          events.map((event) => event.name),
        );
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  it('comes out of the eventsource package just as out of ours', () => {
    const property = fc.property(
      fc.array(fc.record({ data: payload, name, id }), { maxLength: 4 }),
      (events) => {
        const stream = write(
          { data: Buffer.from('first') },
          ...events.map((event) => ({ ...event, kind: 'unknown' as const })),
        );
        const theirs: EventSourceMessage[] = [];
        createParser({ onEvent: (event) => theirs.push(event) }).feed(stream.toString('utf8'));
        assert.deepEqual(
          theirs.map((event) => [event.event ?? 'message', event.data]),
          parse(stream).map((event) => [event.name, event.data]),
        );
      },
    );
    fc.assert(property, { numRuns: 400 });
  });
});
