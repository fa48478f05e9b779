import type { ByteWriter } from '../../kernel/index.ts';
import type { StreamFraming } from '../../listeners/port.ts';
import { beginFlush, endFlush } from '../../wire/http1/index.ts';
import { BINARY_FRAME, openFrame, sealFrame, TEXT_FRAME } from '../../wire/websocket/index.ts';
import type { Codec } from './codec.ts';
import { closeLength, openLength } from './protobuf-writer.ts';

/** How replies stand in the bytes of a transport: several of them, made in an empty writer, are one flush. */
export interface Carrier {
  /** Tells this carrier from the others. */
  readonly key: string;
  begin(out: ByteWriter): void;
  /** Begins one reply. Returns the mark for `close`. */
  open(out: ByteWriter): number;
  close(out: ByteWriter, mark: number): void;
  /** Ends the flush. One without replies is taken back. */
  end(out: ByteWriter): void;
}

const LINE_FEED = 0x0a;

/** The room that an open frame leaves for its head. */
const NO_REPLY_YET = 4;

/** A WebSocket message: JSON replies are its lines, protobuf replies are preceded by their lengths. */
export function webSocketCarrier(codec: Codec['name']): Carrier {
  const isText = codec === 'json';
  return {
    key: `websocket ${codec}`,
    begin: openFrame,
    open(out) {
      if (!isText) return openLength(out);
      if (out.length > NO_REPLY_YET) out.byte(LINE_FEED);
      return 0;
    },
    close(out, mark) {
      if (!isText) closeLength(out, mark);
    },
    end(out) {
      if (out.length === NO_REPLY_YET) out.truncate(0);
      else sealFrame(out, 0, isText ? TEXT_FRAME : BINARY_FRAME);
    },
  };
}

/** The body of an HTTP response: lines, or replies preceded by their lengths. */
export function streamCarrier(codec: Codec['name'], framing: StreamFraming): Carrier {
  const isText = codec === 'json';
  return {
    key: `stream ${codec} ${framing}`,
    begin: (out) => beginFlush(out, framing),
    open: (out) => (isText ? 0 : openLength(out)),
    close(out, mark) {
      if (isText) out.byte(LINE_FEED);
      else closeLength(out, mark);
    },
    end: (out) => endFlush(out, framing),
  };
}

/** Server-sent events (HTML standard, section 9.2.5), one for each reply. JSON only: its lines hold no line breaks. */
export function sseCarrier(framing: StreamFraming): Carrier {
  return {
    key: `sse json ${framing}`,
    begin: (out) => beginFlush(out, framing),
    open(out) {
      out.ascii('data: ');
      return 0;
    },
    close: (out) => out.ascii('\n\n'),
    end: (out) => endFlush(out, framing),
  };
}
