import { Buffer } from 'node:buffer';
import type { FrameEncoder, JsonEnvelope } from '../../channels/index.ts';
import { writeExpiringJson, writeGapJson, writeMessageJson } from '../../channels/index.ts';
import { ByteWriter, EMPTY, type TidegateError } from '../../kernel/index.ts';
import {
  BINARY_FRAME,
  COMPRESSED_BINARY_FRAME,
  COMPRESSED_TEXT_FRAME,
  deflateMessage,
  encodeFrame,
  openFrame,
  sealFrame,
  TEXT_FRAME,
  writeFrame,
} from '../../wire/websocket/index.ts';
import type { Envelope } from '../subscription-query.ts';

/** What changes the bytes of a subscription: equal forms share an encoder. */
export interface WebSocketForm {
  readonly envelope: Envelope;
  /** The window of permessage-deflate, 9 to 15; 0 without compression. */
  readonly windowBits: number;
}

/** Shorter messages come out longer: a compressed one has a few bytes of its own. */
const COMPRESSED_FROM_BYTES = 48;

/** Turns messages into frames, one each. */
export function createWebSocketEncoder(form: WebSocketForm): FrameEncoder {
  const { envelope, windowBits } = form;
  const key = `websocket ${envelope} ${windowBits}`;
  const writer = windowBits === 0 ? PLAIN : new CompressingFrames(windowBits);
  return envelope === 'none' ? bareEncoder(key, writer) : jsonEncoder(key, writer, envelope);
}

/** Appends frames, compressed or not. */
interface Frames {
  /** One frame with the payload `bytes[start, end)`. */
  bytes(out: ByteWriter, firstByte: number, bytes: Uint8Array, start: number, end: number): void;
  /** One text frame with the payload that `write` renders. */
  text(out: ByteWriter, write: (payload: ByteWriter) => void): void;
}

const PLAIN: Frames = {
  bytes: writeFrame,
  text(out, write) {
    const mark = openFrame(out);
    write(out);
    sealFrame(out, mark, TEXT_FRAME);
  },
};

class CompressingFrames implements Frames {
  readonly #windowBits: number;
  /** Holds a payload between rendering and compressing; empty between calls. */
  readonly #rendered = new ByteWriter();

  constructor(windowBits: number) {
    this.#windowBits = windowBits;
  }

  bytes(out: ByteWriter, firstByte: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start >= COMPRESSED_FROM_BYTES) {
      const compressed = deflateMessage(bytes.subarray(start, end), this.#windowBits);
      if (compressed.length < end - start) {
        writeFrame(
          out,
          firstByte === TEXT_FRAME ? COMPRESSED_TEXT_FRAME : COMPRESSED_BINARY_FRAME,
          compressed,
        );
        return;
      }
    }
    writeFrame(out, firstByte, bytes, start, end);
  }

  text(out: ByteWriter, write: (payload: ByteWriter) => void): void {
    const rendered = this.#rendered;
    write(rendered);
    this.bytes(out, TEXT_FRAME, rendered.peek(), 0, rendered.length);
    rendered.truncate(0);
  }
}

/** The data as it was published: a text frame if it is known to be text, a binary one otherwise, an empty one without data. */
function bareEncoder(key: string, frames: Frames): FrameEncoder {
  return {
    key,
    begin() {},
    message(message, out) {
      if (message.hasData) {
        const firstByte = message.dataKind === 'binary' ? BINARY_FRAME : TEXT_FRAME;
        frames.bytes(out, firstByte, message.bytes, message.dataStart, message.dataEnd);
      } else {
        writeFrame(out, BINARY_FRAME, EMPTY);
      }
    },
    // A gap has no form among bare data: the subscription ends with it instead.
    gap() {},
    // Pings keep the connection alive, and there is nothing that a cursor could be told in.
    keepAlive() {},
    end() {},
  };
}

/** Each message, gap and refreshed cursor as a text frame with one JSON object. */
function jsonEncoder(key: string, frames: Frames, envelope: JsonEnvelope): FrameEncoder {
  return {
    key,
    begin() {},
    message(message, out) {
      frames.text(out, (payload) => writeMessageJson(message, payload, envelope));
    },
    gap(gap, out) {
      frames.text(out, (payload) => writeGapJson(gap, payload));
    },
    keepAlive(cursor, out) {
      if (cursor !== '') frames.text(out, (payload) => payload.utf8(JSON.stringify({ cursor })));
    },
    end() {},
  };
}

/** A text frame that tells the client what became of a message that it sent: `{"error":{"code","title","detail"}}`, with `retryAfterMs` where it is known. */
export function encodeError(error: TidegateError): Buffer {
  const { code, detail, retryAfterMs } = error;
  const later = retryAfterMs === null ? {} : { retryAfterMs };
  return encodeFrame(
    TEXT_FRAME,
    Buffer.from(JSON.stringify({ error: { code, title: error.entry.title, detail, ...later } })),
  );
}

/** A text frame that tells the client when its credential, and the connection with it, ends: `{"expiring":{"expires"}}`. */
export function encodeExpiring(expiresMs: number): Buffer {
  const payload = new ByteWriter(64);
  writeExpiringJson(expiresMs, payload);
  return encodeFrame(TEXT_FRAME, payload.take());
}
