import { Buffer } from 'node:buffer';
import type { PublishedEvent } from '../../channels/index.ts';
import type { MessageKind, MessageStorage } from '../../wire/websocket/index.ts';

const NO_ATTRIBUTES: PublishedEvent['attributes'] = [];
const BINARY_ATTRIBUTES: PublishedEvent['attributes'] = [['datacontenttype', 'application/octet-stream']];

/** The second half of the identity of an event that has no id of the client's, and so is never compared. */
const NO_IDENTITY = '';

const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/**
 * The event that a client's message stands for. A text that is a JSON object or array is JSON, so that envelopes embed it; any
 * other text stays text, for nobody who types `42` or `true` into a chat means a number or a truth. Binary is
 * application/octet-stream.
 */
export function eventOfFrame(
  channel: string,
  data: Buffer,
  kind: MessageKind,
  storage: MessageStorage,
): PublishedEvent {
  return {
    channel,
    data: storage === 'owned' ? data : Buffer.from(data),
    dataKind: kind === 'binary' ? 'binary' : isJson(data) ? 'json' : 'text',
    attributes: kind === 'binary' ? BINARY_ATTRIBUTES : NO_ATTRIBUTES,
    clientId: null,
    identitySource: NO_IDENTITY,
  };
}

function isJson(text: Buffer): boolean {
  if (text[0] !== OPEN_BRACE && text[0] !== OPEN_BRACKET) return false;
  try {
    JSON.parse(text.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
