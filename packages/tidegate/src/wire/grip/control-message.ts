import { type Buffer, isUtf8 } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { frameOf } from './format-members.ts';
import { type GripChannel, intervalMs, KEEP_ALIVE_SECONDS, type KeepAliveMode } from './instruct.ts';
import { boundedChannels } from './instruct-fields.ts';
import { Members } from './members.ts';
import type { WebSocketMessageType } from './publish-format.ts';

/** What an origin tells the gateway about a WebSocket, in a text that begins with `c:`. */
export type ControlMessage =
  /**
   * With the id of the message that the client has, or with a position of the channel (`from`, unchecked), what came after it is sent
   * first.
   */
  | { readonly type: 'subscribe'; readonly channel: GripChannel; readonly from: string | null }
  | { readonly type: 'unsubscribe'; readonly channel: string }
  /** The origin leaves; the client stays subscribed. */
  | { readonly type: 'detach' }
  /** Null ends the session. */
  | { readonly type: 'session'; readonly id: string | null }
  /** Null takes the name away. */
  | { readonly type: 'set-meta'; readonly name: string; readonly value: string | null }
  /** Null turns it off. */
  | { readonly type: 'keep-alive'; readonly keepAlive: WebSocketKeepAlive | null }
  | { readonly type: 'send-delayed'; readonly frame: TypedFrame; readonly delayMs: number }
  /** What is delayed is sent now. */
  | { readonly type: 'flush-delayed' };

export interface TypedFrame {
  readonly type: WebSocketMessageType;
  readonly content: Uint8Array;
}

export interface WebSocketKeepAlive {
  readonly frame: TypedFrame;
  readonly intervalMs: number;
  readonly mode: KeepAliveMode;
}

const TYPES = [
  'subscribe',
  'unsubscribe',
  'detach',
  'session',
  'set-meta',
  'keep-alive',
  'send-delayed',
  'flush-delayed',
] as const;

const DELAY_SECONDS = { default: 1, min: 0 };

/**
 * Reads a control message.
 * @param json without the `c:`
 * @throws TidegateError grip_instruct_invalid, naming the member
 */
export function parseControlMessage(json: Buffer, limits: Limits): ControlMessage {
  const message = new Members(parseJson(json, limits), '', 'grip_instruct_invalid');
  if (!message.has('type')) throw message.fault('type', 'is missing');
  const type = message.choice('type', TYPES);
  switch (type) {
    case 'subscribe': {
      const channel: GripChannel = {
        name: message.name('channel'),
        prevId: message.id('prev-id'),
        filters: message.texts('filters') ?? [],
      };
      return { type, channel: boundedChannels([channel], limits)[0], from: message.text('from') || null };
    }
    case 'unsubscribe':
      return { type, channel: message.name('channel') };
    case 'session':
      return { type, id: message.id('id') };
    case 'set-meta':
      return { type, name: message.name('name'), value: message.text('value') };
    case 'keep-alive':
      return { type, keepAlive: keepAliveOf(message, limits) };
    case 'send-delayed':
      return {
        type,
        frame: typedFrameOf(message),
        delayMs: intervalMs(message.seconds('timeout'), DELAY_SECONDS, limits),
      };
    default:
      return { type };
  }
}

function keepAliveOf(message: Members, limits: Limits): WebSocketKeepAlive | null {
  if (!message.has('content') && !message.has('content-bin')) return null;
  return {
    frame: typedFrameOf(message),
    intervalMs: intervalMs(message.seconds('timeout'), KEEP_ALIVE_SECONDS, limits),
    mode: message.choice('mode', ['idle', 'interval']),
  };
}

/** A text if no type is named, even of bytes; but of bytes that cannot be one, which would end the connection, a binary frame. */
function typedFrameOf(message: Members): TypedFrame {
  const content = message.content('content');
  if (content === null) throw message.fault('content', 'is missing');
  return frameOf(message, 'message-type', {
    bytes: content.bytes,
    given: isUtf8(content.bytes) ? 'text' : 'binary',
  });
}

function parseJson(json: Buffer, limits: Limits): unknown {
  if (json.length > limits.gripInstructBytesMax) {
    const size = `The control message has ${json.length} bytes`;
    throw new TidegateError('grip_instruct_invalid', `${size}; the limit is ${limits.gripInstructBytesMax}.`);
  }
  try {
    return JSON.parse(json.toString('utf8'));
  } catch (error) {
    throw new TidegateError('grip_instruct_invalid', 'The control message is not JSON.', { cause: error });
  }
}
