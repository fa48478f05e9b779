import type { Buffer } from 'node:buffer';
import {
  type FrameEncoder,
  type JsonEnvelope,
  type Message,
  writeExpiringJson,
  writeGapJson,
  writeMessageJson,
} from '../../channels/index.ts';
import { type ByteWriter, EMPTY } from '../../kernel/index.ts';
import type { StreamFraming } from '../../listeners/port.ts';
import { beginFlush, endFlush, endOfStream, singleFlush } from '../../wire/http1/index.ts';
import { endSseEvent, writeSseComment, writeSseEvent, writeSseField } from '../../wire/sse/index.ts';
import type { StreamEnd } from '../streaming-subscriber.ts';
import type { SubscriptionQuery } from '../subscription-query.ts';

/** What changes the bytes of an event stream. */
export type SseForm = Pick<SubscriptionQuery, 'envelope' | 'eventName'> & { readonly framing: StreamFraming };

/** The event name of a gap. */
const GAP_NAME = 'gap';
/** The event name of a notice that the credential ends. */
const EXPIRING_NAME = 'expiring';
/** Marks an event without data, as an event stream cannot tell that from empty data; after the event's own name and a semicolon. */
const EMPTY_MARK = 'empty';

/** How long a client waits before it connects again; a restart of the server takes less. */
const RETRY_MS = 1000;

const DATA_FIELD = 'data: ';

/** Writes messages as events of an event stream (HTML standard, section 9.2), of which the id is the cursor. */
export function createSseEncoder(form: SseForm): FrameEncoder {
  const { framing, envelope, eventName } = form;
  const nameOf = (message: Message): string =>
    eventName === 'type' ? (message.attribute('type') ?? '') : '';
  return {
    key: `sse ${framing} ${envelope} ${eventName}`,
    begin(out) {
      beginFlush(out, framing);
    },
    message(message, out) {
      if (envelope === 'none') writeBare(message, nameOf(message), out);
      else writeEnveloped(message, nameOf(message), out, envelope);
    },
    gap(gap, out) {
      writeSseField(out, 'event', GAP_NAME);
      writeSseField(out, 'id', gap.cursor);
      out.ascii(DATA_FIELD);
      writeGapJson(gap, out);
      endLineAndEvent(out);
    },
    keepAlive(cursor, out) {
      if (cursor === '') {
        writeSseComment(out);
      } else {
        // An event without data is not dispatched, but its id is kept (HTML standard, section 9.2.6).
        writeSseField(out, 'id', cursor);
        endSseEvent(out);
      }
    },
    end(out) {
      endFlush(out, framing);
    },
  };
}

function writeBare(message: Message, name: string, out: ByteWriter): void {
  if (message.hasData) {
    const kind = message.dataKind === 'binary' ? 'unknown' : 'text';
    writeSseEvent(out, name, message.cursor, message.bytes, message.dataStart, message.dataEnd, kind);
  } else {
    writeSseEvent(
      out,
      name === '' ? EMPTY_MARK : `${name};${EMPTY_MARK}`,
      message.cursor,
      EMPTY,
      0,
      0,
      'text',
    );
  }
}

function writeEnveloped(message: Message, name: string, out: ByteWriter, envelope: JsonEnvelope): void {
  if (name !== '') writeSseField(out, 'event', name);
  writeSseField(out, 'id', message.cursor);
  out.ascii(DATA_FIELD);
  writeMessageJson(message, out, envelope);
  endLineAndEvent(out);
}

function endLineAndEvent(out: ByteWriter): void {
  out.ascii('\n\n');
}

/**
 * What begins every event stream. The cursor, if it is not empty, is the position that the stream begins at: a browser that loses the
 * connection before the first message resumes there, and not at the end of what came meanwhile.
 */
export function ssePreamble(framing: StreamFraming, cursor: string): Buffer {
  return singleFlush(framing, (out) => {
    writeSseField(out, 'retry', String(RETRY_MS));
    if (cursor !== '') writeSseField(out, 'id', cursor);
    endSseEvent(out);
  });
}

/** How an event stream of this framing ends: before it does, by an event of its own name, which `onmessage` does not get. */
export function sseEnd(framing: StreamFraming): StreamEnd {
  return {
    expiring: (expiresMs) =>
      singleFlush(framing, (out) => {
        writeSseField(out, 'event', EXPIRING_NAME);
        out.ascii(DATA_FIELD);
        writeExpiringJson(expiresMs, out);
        endLineAndEvent(out);
      }),
    last: endOfStream(framing),
  };
}
