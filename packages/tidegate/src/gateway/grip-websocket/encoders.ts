import type { FrameEncoder } from '../../channels/index.ts';
import type { ByteReader, Counter } from '../../kernel/index.ts';
import { suitsFilters, type WebSocketMessageType } from '../../wire/grip/index.ts';
import { BINARY_FRAME, TEXT_FRAME, writeFrame } from '../../wire/websocket/index.ts';
import { readStreamFrame, type StreamFrame, writeStreamFrame } from '../grip/hold-frames.ts';
import type { ItemReader } from '../grip/rendered-item.ts';
import { FIRST_BYTE } from './frames.ts';
import { renderForSocket } from './rendering.ts';

/** Nothing but messages has a form on these connections: gaps end the subscription, and what keeps it alive is the origin's to say. */
const MESSAGES_ONLY = { controls: 'taken', begin() {}, gap() {}, keepAlive() {}, end() {} } as const;

/**
 * Messages as the frames that every client without filters gets.
 * @param notMeant counts those that were written for filters
 */
export function createFrameEncoder(reader: ItemReader, notMeant: Counter): FrameEncoder {
  return {
    ...MESSAGES_ONLY,
    key: 'grip websocket',
    message(message, out) {
      if (message.renderings === undefined) {
        // The usual message of those who know nothing of GRIP, without making anything for it.
        const firstByte = message.dataKind === 'binary' ? BINARY_FRAME : TEXT_FRAME;
        if (message.hasData) writeFrame(out, firstByte, message.bytes, message.dataStart, message.dataEnd);
        return;
      }
      const rendering = renderForSocket(message, reader);
      if (rendering === null) return;
      if (suitsFilters(rendering.contentFilters, []))
        writeFrame(out, FIRST_BYTE[rendering.type], rendering.content);
      else notMeant.add(1);
    },
  };
}

const TYPES: readonly WebSocketMessageType[] = ['text', 'binary', 'ping', 'pong'];

/** A message for subscribers that look at each; its content is null if it is nothing on a WebSocket. */
export interface SocketFrame extends StreamFrame {
  readonly type: WebSocketMessageType;
}

/**
 * All messages of a channel, in a form that `readSocketFrame` reads. By what a message says it follows, a client that comes with a prev-id of which the channel
 * knows nothing learns whether something is missing in between.
 */
export function createItemEncoder(reader: ItemReader): FrameEncoder {
  return {
    ...MESSAGES_ONLY,
    key: 'grip websocket items',
    message(message, out) {
      const rendering = renderForSocket(message, reader);
      const { id, channel, offset } = message;
      out.byte(rendering === null ? 0 : TYPES.indexOf(rendering.type));
      const prevId = reader.prevIdOf(message);
      writeStreamFrame(out, { id, prevId, channel, offset, meta: rendering?.meta ?? NO_META }, rendering);
    },
  };
}

const NO_META: ReadonlyMap<string, string> = new Map();

export function readSocketFrame(reader: ByteReader): SocketFrame {
  const type = TYPES[reader.byte()];
  return { ...readStreamFrame(reader), type };
}
