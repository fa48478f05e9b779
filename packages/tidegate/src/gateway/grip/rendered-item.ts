import { Buffer } from 'node:buffer';
import type { Message } from '../../channels/index.ts';
import { ByteWriter, EMPTY, type Limits } from '../../kernel/index.ts';
import type { ContentFilters, HttpResponseMessage } from '../../wire/grip/index.ts';
import { writeSseEvent } from '../../wire/sse/index.ts';
import { decodeStoredItem, type StoredItem } from './stored-item.ts';

/**
 * How messages that were not published by GRIP are framed for a stream: as server-sent events where the held response is an event stream, as
 * they are otherwise.
 */
export type PlainFraming = 'sse' | 'raw';

/** What a message is on a stream; views into the message. */
export interface StreamRendering {
  readonly content: Uint8Array;
  readonly contentFilters: ContentFilters;
}

/** What a message is to those who hold a response. A plain message is its data, with everything else as it is held. */
export type ResponseRendering =
  | { readonly kind: 'item'; readonly message: HttpResponseMessage }
  | { readonly kind: 'plain'; readonly body: Uint8Array; readonly contentType: string | null };

const NO_META: ReadonlyMap<string, string> = new Map();

/** Reads what GRIP has stored with messages. */
export class ItemReader {
  readonly #limits: Limits;
  readonly #sse = new ByteWriter(1024, 1 << 20);
  /** Several audiences of a channel ask for the same message, one after the other. */
  #bytes: Uint8Array | null = null;
  #offset = -1;
  #item: StoredItem | 'plain' | 'unreadable' = 'plain';

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  metaOf(message: Message): ReadonlyMap<string, string> {
    const item = this.itemOf(message);
    return typeof item === 'string' ? NO_META : item.meta;
  }

  /** The id of the item before it, as its publisher said; null if nothing was said. */
  prevIdOf(message: Message): string | null {
    const item = this.itemOf(message);
    return typeof item === 'string' ? null : (item.prevId ?? null);
  }

  /** Null if the message is not for streams. */
  streamOf(message: Message, framing: PlainFraming): StreamRendering | null {
    const item = this.itemOf(message);
    if (item === 'unreadable') return null;
    if (item !== 'plain') {
      const { httpStream } = item.formats;
      return httpStream?.action === 'send' ? httpStream : null;
    }
    if (!message.hasData) return null;
    const { bytes, dataStart, dataEnd } = message;
    if (framing === 'raw') return { content: bytes.subarray(dataStart, dataEnd), contentFilters: null };
    const kind = message.dataKind === 'binary' ? 'unknown' : 'text';
    // Without a name and an id: both are the origin's to give.
    writeSseEvent(this.#sse, '', '', bytes, dataStart, dataEnd, kind);
    return { content: this.#sse.take(), contentFilters: null };
  }

  /** Null if the message is not for those who hold a response. */
  responseOf(message: Message): ResponseRendering | null {
    const item = this.itemOf(message);
    if (item === 'unreadable') return null;
    if (item !== 'plain') {
      const { httpResponse } = item.formats;
      return httpResponse?.action === 'send' ? { kind: 'item', message: httpResponse } : null;
    }
    if (!message.hasData) return null;
    const { bytes, dataStart, dataEnd } = message;
    return {
      kind: 'plain',
      body: bytes.subarray(dataStart, dataEnd),
      contentType: message.attribute('datacontenttype') ?? null,
    };
  }

  /**
   * What GRIP has stored with a message; `plain` if nothing, `unreadable` if it is nothing that can be shown: it was written by a version that knew another
   * form. Views into the message.
   */
  itemOf(message: Message): StoredItem | 'plain' | 'unreadable' {
    const { bytes, offset } = message;
    if (this.#bytes === bytes && this.#offset === offset) return this.#item;
    const text = message.renderings;
    if (text === undefined) return 'plain';
    const data = message.hasData
      ? Buffer.from(bytes.buffer, bytes.byteOffset + message.dataStart, message.dataEnd - message.dataStart)
      : EMPTY;
    try {
      this.#item = decodeStoredItem(text, data, this.#limits);
    } catch {
      this.#item = 'unreadable';
    }
    this.#bytes = bytes;
    this.#offset = offset;
    return this.#item;
  }
}
