import type { Buffer } from 'node:buffer';
import { ByteWriter } from '../../kernel/index.ts';
import { beginFlush, endFlush, type StreamFraming, singleFlush } from '../../wire/http1/index.ts';
import { endSseEvent, writeSseComment, writeSseField } from '../../wire/sse/index.ts';
import { openFrame, sealFrame, TEXT_FRAME } from '../../wire/websocket/index.ts';

/** The forms in which changes go out. Subscribers of one form share their bytes. */
export type FrameForm = 'sse_chunked' | 'sse_close' | 'websocket';

/** `snapshot` and `value` are the whole value, at the beginning and as a change; `problem` is why there is nothing new. */
export type FrameKind = 'snapshot' | 'value' | 'patch' | 'problem';

export interface LiveFrame {
  readonly kind: FrameKind;
  /** The version that the subscriber has after it; null if it changes nothing. */
  readonly id: string | null;
  /** In one line. */
  readonly json: string;
}

/** How long a client waits before it connects again. */
const RETRY_MS = 1000;

/** The member of a WebSocket message that holds the JSON. */
const MEMBER: Readonly<Record<FrameKind, string>> = {
  snapshot: 'value',
  value: 'value',
  patch: 'patch',
  problem: 'problem',
};

export function framingOf(form: 'sse_chunked' | 'sse_close'): StreamFraming {
  return form === 'sse_chunked' ? 'chunked' : 'close';
}

/** Renders frames, in order, as one piece that any number of subscribers can be given. */
export function encodeFrames(form: FrameForm, frames: readonly LiveFrame[]): Buffer {
  const out = new ByteWriter(256);
  if (form === 'websocket') {
    for (const frame of frames) writeMessage(out, frame);
  } else {
    beginFlush(out, framingOf(form));
    for (const frame of frames) writeEvent(out, frame);
    endFlush(out, framingOf(form));
  }
  return out.take();
}

/** An event of an event stream (HTML standard, section 9.2.5). */
function writeEvent(out: ByteWriter, { kind, id, json }: LiveFrame): void {
  writeSseField(out, 'event', kind);
  if (id !== null) writeSseField(out, 'id', id);
  out.ascii('data: ');
  out.utf8(json);
  out.ascii('\n');
  endSseEvent(out);
}

/** A text frame with an object: `type`, the `id` of the version, and `value`, `patch` or `problem`. */
function writeMessage(out: ByteWriter, { kind, id, json }: LiveFrame): void {
  const mark = openFrame(out);
  out.ascii(`{"type":"${kind}",`);
  if (id !== null) out.ascii(`"id":"${id}",`);
  out.ascii(`"${MEMBER[kind]}":`);
  out.utf8(json);
  out.ascii('}');
  sealFrame(out, mark, TEXT_FRAME);
}

/** What begins every event stream, so that its head is not held back until the first event. */
export const PREAMBLES: Readonly<Record<StreamFraming, Buffer>> = {
  chunked: preamble('chunked'),
  close: preamble('close'),
};

/** What keeps a silent event stream from being taken for dead. */
export const KEEP_ALIVES: Readonly<Record<StreamFraming, Buffer>> = {
  chunked: singleFlush('chunked', writeSseComment),
  close: singleFlush('close', writeSseComment),
};

function preamble(framing: StreamFraming): Buffer {
  return singleFlush(framing, (out) => {
    writeSseField(out, 'retry', String(RETRY_MS));
    endSseEvent(out);
  });
}
