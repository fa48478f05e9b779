/** An action that is not a message: fetch what is new, end the connection, or ask the origin over WebSocket-over-HTTP now. */
export interface Signal {
  readonly action: 'hint' | 'close' | 'refresh';
}

/** A response for those who are held in mode `response`. */
export interface HttpResponseMessage {
  readonly action: 'send';
  readonly code: number;
  /** Null for the usual one of the code. Octets beyond ASCII appear as Latin-1. */
  readonly reason: string | null;
  /** In place of fields of the held response that have the same name. Octets beyond ASCII appear as Latin-1. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The fields that are relayed, in lower case; empty if all are. */
  readonly exposeHeaders: readonly string[];
  /** Null if `bodyPatch` makes it of the held body. */
  readonly body: Uint8Array | null;
  /** Operations of a JSON patch (RFC 6902), unchecked. */
  readonly bodyPatch: readonly unknown[] | null;
  readonly contentFilters: ContentFilters;
}

/** Bytes for those who are held in mode `stream`. */
export interface HttpStreamMessage {
  readonly action: 'send';
  readonly content: Uint8Array;
  readonly contentFilters: ContentFilters;
}

export type WebSocketMessageType = 'text' | 'binary' | 'ping' | 'pong';

/** A frame for WebSockets. */
export interface WebSocketMessage {
  readonly action: 'send';
  readonly type: WebSocketMessageType;
  /** UTF-8 in a text; at most 125 bytes in a ping and a pong. */
  readonly content: Uint8Array;
  readonly contentFilters: ContentFilters;
}

export interface WebSocketClose {
  readonly action: 'close';
  /** A code that may be sent; null for none. */
  readonly code: number | null;
  readonly reason: string;
}

/**
 * The filters that the content was written for: it is for those subscribers only whose filters of content are the same, in the same
 * order. Null if it is for all.
 */
export type ContentFilters = readonly string[] | null;

/** What an item is on each transport; null where it is nothing. At least one is something. */
export interface PublishFormats {
  readonly httpResponse: HttpResponseMessage | Signal | null;
  readonly httpStream: HttpStreamMessage | Signal | null;
  readonly webSocketMessage: WebSocketMessage | WebSocketClose | Signal | null;
}
