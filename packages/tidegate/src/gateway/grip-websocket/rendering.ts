import type { Message } from '../../channels/index.ts';
import type {
  ContentFilters,
  WebSocketClose,
  WebSocketMessage,
  WebSocketMessageType,
} from '../../wire/grip/index.ts';
import type { ItemReader } from '../grip/rendered-item.ts';
import type { StoredItem } from '../grip/stored-item.ts';

/** What a message is on a WebSocket. */
export interface SocketRendering {
  readonly type: WebSocketMessageType;
  /** A view, valid as long as the message. */
  readonly content: Uint8Array;
  readonly contentFilters: ContentFilters;
  /** What filters know of the message. */
  readonly meta: ReadonlyMap<string, string>;
}

const NO_META: ReadonlyMap<string, string> = new Map();

/**
 * What a message is on a WebSocket; null if it is nothing there. The rule: an event that was published without formats is its data, as text if they
 * are known to be text, else binary, and nothing without data; one with formats is what its `ws-message` says, and nothing if it has none,
 * as its publisher has chosen the transports.
 */
export function renderForSocket(message: Message, reader: ItemReader): SocketRendering | null {
  const item = reader.itemOf(message);
  if (item === 'unreadable') return null;
  if (item === 'plain') {
    if (!message.hasData) return null;
    const { bytes, dataStart, dataEnd, dataKind } = message;
    const type = dataKind === 'binary' ? 'binary' : 'text';
    return { type, content: bytes.subarray(dataStart, dataEnd), contentFilters: null, meta: NO_META };
  }
  const { webSocketMessage } = item.formats;
  return webSocketMessage?.action === 'send' ? { ...webSocketMessage, meta: item.meta } : null;
}

/** What a control record asks of a WebSocket: to be closed, to send a ping or pong, to ask its origin. */
export type SocketSignal =
  | { readonly kind: 'close'; readonly close: WebSocketClose }
  | { readonly kind: 'frame'; readonly message: WebSocketMessage; readonly meta: ReadonlyMap<string, string> }
  | { readonly kind: 'refresh' };

/** Null if it asks nothing of WebSockets. */
export function socketSignalOf({ formats, meta }: StoredItem): SocketSignal | null {
  const asked = formats.webSocketMessage;
  if (asked === null) return null;
  if (asked.action === 'send') return { kind: 'frame', message: asked, meta };
  if (asked.action === 'refresh') return { kind: 'refresh' };
  // A hint is about data that are to be fetched anew, which here only the origin could say. The decoder makes every close one with a code.
  return asked.action === 'close' ? { kind: 'close', close: asked as WebSocketClose } : null;
}
