import type { Buffer } from 'node:buffer';
import type { Message } from '../../channels/index.ts';
import type { ByteWriter } from '../../kernel/index.ts';
import type { Command, Push, Result } from './protocol.ts';

/** What a publication tells besides its data. */
export interface PublicationForm {
  /** The channel or pattern that was subscribed to. */
  readonly channel: string;
  /** Whether offsets mean something to the subscriber: not if they are of several partitions. */
  readonly offsets: 'told' | 'untold';
  /** `delta` is for subscribers who take deltas: in JSON, their data is always a string. */
  readonly data: 'plain' | 'delta';
}

/** One encoding of the protocol: bytes to commands, results and messages to bytes. Knows nothing of how they are carried. */
export interface Codec {
  readonly name: 'json' | 'protobuf';
  /**
   * The commands of one frame or request, in order.
   * @throws MalformedCommand
   */
  decode(bytes: Buffer): Command[];
  /** Appends the reply to the command `id`. */
  reply(id: number, result: Result, out: ByteWriter): void;
  /** Appends the reply that carries a push. */
  push(push: Push, out: ByteWriter): void;
  /** Appends the reply that carries a message as a push. */
  publicationPush(message: Message, form: PublicationForm, out: ByteWriter): void;
  /** Appends a message as results list it. */
  publication(message: Message, form: PublicationForm, out: ByteWriter): void;
  /** Appends the data of a message as deltas are made of it: a JSON text, or the bytes as they are. */
  deltaBase(message: Message, out: ByteWriter): void;
  /** Appends what a publication holds besides its data, for `deltaPush`. */
  deltaRest(message: Message, form: PublicationForm, out: ByteWriter): void;
  /** Appends the reply that carries data, whole or as a delta, with its rest as a push. */
  deltaPush(channel: string, data: Buffer, kind: 'whole' | 'delta', rest: Buffer, out: ByteWriter): void;
}

/** Where the identity of the client that published is kept with a message: as CloudEvents extension attributes. */
export const CLIENT_ATTRIBUTE = 'cfclient';
export const USER_ATTRIBUTE = 'cfuser';
/** What the tokens of the connection and of the subscription said about that client, as JSON texts. */
export const CONN_INFO_ATTRIBUTE = 'cfconninfo';
export const CHAN_INFO_ATTRIBUTE = 'cfchaninfo';
/** The tags of a publication, as the JSON text of an object of strings. */
export const TAGS_ATTRIBUTE = 'cftags';

/** The tag that says that the JSON string in `data` is base64, as the data is neither JSON nor text. */
export const ENCODING_TAG = 'tidegate-encoding';
export const BASE64 = 'base64';

/** The offset of a message in this protocol, where 0 means none. */
export function offsetOf(message: Message): number {
  return message.offset + 1;
}

/** The JSON text of an attribute, on one line; null if there is none, or what stands in its place was not put there by this edge. */
export function jsonAttributeOf(message: Message, name: string): string | null {
  const text = message.attribute(name);
  if (text === undefined) return null;
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  // Between the tokens of a JSON text; inside of strings there are none.
  return text.replaceAll(/[\r\n]/g, ' ');
}

/** The tags that a message was published with; null if there are none, or what stands in their place was not put there by this edge. */
export function tagsOf(message: Message): Readonly<Record<string, string>> | null {
  const text = message.attribute(TAGS_ATTRIBUTE);
  if (text === undefined) return null;
  try {
    const tags: unknown = JSON.parse(text);
    if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return null;
    const entries = Object.entries(tags).filter(([, value]) => typeof value === 'string');
    return entries.length === 0 ? null : Object.fromEntries(entries);
  } catch {
    return null;
  }
}
