import type { StreamPosition } from '../../channels/index.ts';

/*
 * The messages of the Centrifuge client protocol, version 2, as the server sees them, whichever encoding they came in. The names are
 * those of client.proto of github.com/centrifugal/protocol.
 */

/** Data of an application. In JSON it is a JSON value; in protobuf any bytes. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly kind: 'binary' | 'text' | 'json';
}

/** What a client wants of a channel. */
export interface SubscribeWish {
  /** Go on from this position. */
  readonly recover: StreamPosition | null;
  readonly token: string;
  /** Wants to be told who joins and leaves. */
  readonly joinLeave: boolean;
  /** The delta encoding that it can take; empty for none. */
  readonly delta: '' | 'fossil';
  /** What is to be done if it cannot be recovered: go on with what is new, or refuse with an error. */
  readonly unrecovered: 'goes on' | 'is refused';
  /** `unknown` if it wants what this server does not have: a filter, or another kind of subscription. */
  readonly extras: 'none' | 'unknown';
}

/** The bit of the field `flag` of a subscribe request that refuses to go on where there is nothing to recover. */
const REJECT_UNRECOVERED = 2;

/** What a client wishes by the field `flag` of its subscribe request. Other bits change nothing that it has to know. */
export function unrecoveredWish(flag: number): SubscribeWish['unrecovered'] {
  return (flag & REJECT_UNRECOVERED) === 0 ? 'goes on' : 'is refused';
}

/** What a client wishes by the field `delta` of its subscribe request. @throws MalformedCommand */
export function deltaWish(name: string): SubscribeWish['delta'] {
  if (name !== '' && name !== 'fossil') throw new MalformedCommand('unknown delta encoding');
  return name;
}

/** A subscription with nothing special. */
export const PLAIN_WISH: SubscribeWish = {
  recover: null,
  token: '',
  joinLeave: false,
  delta: '',
  unrecovered: 'goes on',
  extras: 'none',
};

/** What a command asks for. */
export type Request =
  | {
      readonly method: 'connect';
      readonly token: string;
      /** The positions of server-side subscriptions that the client had. */
      readonly subs: ReadonlyMap<string, SubscribeWish>;
    }
  | { readonly method: 'subscribe'; readonly channel: string; readonly wish: SubscribeWish }
  | { readonly method: 'unsubscribe'; readonly channel: string }
  | { readonly method: 'publish'; readonly channel: string; readonly data: Payload | null }
  | { readonly method: 'presence'; readonly channel: string }
  | { readonly method: 'presence_stats'; readonly channel: string }
  | {
      readonly method: 'history';
      readonly channel: string;
      /** 0 asks for the position alone, a negative one for as many as one reply may hold. */
      readonly limit: number;
      readonly since: StreamPosition | null;
      readonly order: 'forward' | 'reverse';
    }
  /** The server pings, and clients do not: it ends the connection. */
  | { readonly method: 'ping' }
  | { readonly method: 'send' }
  | { readonly method: 'rpc'; readonly name: string; readonly data: Payload | null }
  | { readonly method: 'refresh'; readonly token: string }
  | { readonly method: 'sub_refresh'; readonly channel: string; readonly token: string }
  /** The empty command: the client's answer to the server's ping. */
  | { readonly method: 'pong' };

/** One command. `id` is 0 for those that are not answered. */
export type Command = Request & { readonly id: number };

/** Who is in a channel, as others see them. */
export interface ClientInfo {
  readonly user: string;
  readonly client: string;
  /** What the connection's token says about its holder, as JSON; null if nothing. */
  readonly connInfo: Payload | null;
  /** What the subscription's token says about its holder, as JSON; null if nothing. */
  readonly chanInfo: Payload | null;
}

/** How long something is good for. `ttlSeconds` is 0 if it does not expire. */
export interface Expiry {
  readonly ttlSeconds: number;
}

/** The answer to a subscribe command, and to each subscription that the server makes. */
export interface SubscribeResult extends Expiry {
  /** Where the subscription stands; null if it spans several partitions, so that it cannot be recovered. */
  readonly position: StreamPosition | null;
  readonly wasRecovering: boolean;
  readonly recovered: boolean;
  /** What was missed, encoded by `Codec.publication`. */
  readonly publications: readonly Uint8Array[];
  readonly delta: 'fossil' | 'none';
  /** What the server has to say with it; null if nothing. */
  readonly data: Payload | null;
}

/** What a command is answered with. */
export type Result =
  | {
      readonly method: 'error';
      readonly code: number;
      readonly message: string;
      readonly retry: 'temporary' | 'useless';
    }
  | ({
      readonly method: 'connect';
      readonly client: string;
      readonly version: string;
      /** How often the server pings by empty replies; 0 if it does not. */
      readonly pingSeconds: number;
      /** What names the connection in emulation requests; empty for connections that go both ways. */
      readonly session: string;
      readonly node: string;
      readonly subs: ReadonlyMap<string, SubscribeResult>;
    } & Expiry)
  | ({ readonly method: 'subscribe' } & SubscribeResult)
  | { readonly method: 'unsubscribe' }
  | { readonly method: 'publish' }
  | { readonly method: 'presence'; readonly members: Iterable<ClientInfo> }
  | { readonly method: 'presence_stats'; readonly clients: number; readonly users: number }
  | {
      readonly method: 'history';
      readonly publications: readonly Uint8Array[];
      readonly position: StreamPosition;
    }
  | { readonly method: 'rpc'; readonly data: Payload | null }
  | ({ readonly method: 'refresh'; readonly client: string; readonly version: string } & Expiry)
  | ({ readonly method: 'sub_refresh' } & Expiry);

/** What the server tells a client unasked, publications aside. */
export type Push =
  | { readonly kind: 'join' | 'leave'; readonly channel: string; readonly info: ClientInfo }
  | { readonly kind: 'unsubscribe'; readonly channel: string; readonly code: number; readonly reason: string }
  | {
      readonly kind: 'subscribe';
      readonly channel: string;
      readonly position: StreamPosition | null;
      readonly data: Payload | null;
    }
  | { readonly kind: 'disconnect'; readonly code: number; readonly reason: string }
  | ({ readonly kind: 'refresh' } & Expiry);

/** A client sent what is not the protocol. It is disconnected as 3501. */
export class MalformedCommand extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'MalformedCommand';
  }
}
