import type { Limits } from '../../kernel/index.ts';

/**
 * What an origin instructs the gateway to do with its response: the same, whether it came in header fields, in a JSON body, or in
 * both.
 */
export interface GripInstruct {
  /** How the connection is held: until the first message (`response`), or for many (`stream`); null if it is not. */
  readonly hold: 'response' | 'stream' | null;
  /** What the client is subscribed to. May be empty, as the gateway may add channels. */
  readonly channels: readonly GripChannel[];
  /** After how long a response hold is answered without a message. */
  readonly timeoutMs: number;
  readonly keepAlive: GripKeepAlive | null;
  /** What filters know of the subscription. */
  readonly meta: ReadonlyMap<string, string>;
  /** The status that takes the place of the response's own; null if that stands. */
  readonly status: GripStatus | null;
  /** The header fields that are relayed, in lower case; empty if all are. */
  readonly exposeHeaders: readonly string[];
  /** Where the rest of the response, or what a client missed, is to be had. */
  readonly nextLink: NextLink | null;
  /** A URI reference that is told when the client has gone. */
  readonly goneLink: string | null;
  readonly sessionId: string | null;
  readonly sessionDetect: readonly SessionRule[];
  /** The newest id that the session has seen of each channel. */
  readonly lastIds: ReadonlyMap<string, string>;
  /** The response that takes the place of the origin's, given in a JSON body; null if the origin's stands. */
  readonly response: InstructedResponse | null;
}

export interface GripChannel {
  readonly name: string;
  /** The id of the message that the initial data include; null if nothing is known of it. */
  readonly prevId: string | null;
  /** The names of filters, in the order in which they apply. Unknown ones have no effect. */
  readonly filters: readonly string[];
}

export interface GripKeepAlive {
  readonly content: Uint8Array;
  readonly intervalMs: number;
  /** Whether it is sent when nothing else was sent for the interval (`idle`), or in each interval. */
  readonly mode: KeepAliveMode;
}

export type KeepAliveMode = 'idle' | 'interval';

export interface GripStatus {
  readonly code: number;
  /** Null for the usual one of the code. Octets beyond ASCII appear as Latin-1. */
  readonly reason: string | null;
}

export interface NextLink {
  /** A URI reference, as it stands. */
  readonly uri: string;
  /** After how long without a message on all channels it is fetched again. */
  readonly timeoutMs: number;
}

/** Where the gateway finds the id of a session in later requests. */
export interface SessionRule {
  readonly pathPrefix: string;
  /** A JSON pointer into the body, or into the JSON that the parameter `jsonParam` of a form in the body has. */
  readonly sidPointer: string;
  readonly jsonParam: string | null;
}

export interface InstructedResponse {
  readonly status: GripStatus;
  /** Octets beyond ASCII appear as Latin-1. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** In seconds: what GRIP says where an instruction says nothing, and the least that it may say. */
export const HOLD_SECONDS = { default: 55, min: 5 } as const;
export const KEEP_ALIVE_SECONDS = { default: 55, min: 1 } as const;
export const NEXT_LINK_SECONDS = { default: 120, min: 5 } as const;

/** The milliseconds of an interval given in seconds, within what is allowed; null stands for the default. */
export function intervalMs(
  seconds: number | null,
  range: { readonly default: number; readonly min: number },
  limits: Limits,
): number {
  const ms = Math.round(Math.max(seconds ?? range.default, range.min) * 1000);
  return Math.min(ms, limits.gripIntervalMsMax);
}
