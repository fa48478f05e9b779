import type { Buffer } from 'node:buffer';
import type { AccessEnd, AccessHold } from '../../access/port.ts';
import type { EndReason, PresenceListener, Sink, Subscription } from '../../channels/index.ts';
import type { Timer } from '../../kernel/index.ts';
import type { DeltaFrames } from './delta-frames.ts';
import type { ClientInfo, Payload } from './protocol.ts';

/** What a subscription needs of the session that it belongs to. */
export interface SubscriptionOwner {
  /** Returns whether the transport has room for more. */
  deliver(bytes: Buffer): boolean;
  ended(subscription: ChannelSubscription, reason: EndReason): void;
  presenceChanged(kind: 'join' | 'leave', channel: string, info: ClientInfo): void;
  /** The token of the subscription is no longer good. */
  tokenEnded(subscription: ChannelSubscription, reason: AccessEnd): void;
}

/** Who began a subscription. */
export type Side = 'client' | 'server';

/** One channel of one client. There are as many as idle clients, so that it holds little. */
export class ChannelSubscription implements Sink, PresenceListener<ClientInfo>, AccessHold {
  readonly channel: string;
  readonly side: Side;
  readonly #owner: SubscriptionOwner;
  #subscription: Subscription | null = null;
  /** Lists the client no more as present. */
  #leave: (() => void) | null = null;
  /** Ends listening to who joins and leaves. */
  #unlisten: (() => void) | null = null;
  /** Lets go of the token that it rests on; null if it rests on the connection's. */
  #letGo: (() => void) | null = null;
  /** Runs from the token's end on. */
  expiryTimer: Timer | null = null;

  /** What its token says about the holder; null if nothing. */
  chanInfo: Payload | null = null;

  constructor(channel: string, side: Side, owner: SubscriptionOwner) {
    this.channel = channel;
    this.side = side;
    this.#owner = owner;
  }

  /** Whether it has a token of its own. */
  get hasToken(): boolean {
    return this.#letGo !== null || this.expiryTimer !== null;
  }

  begin(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  enter(leave: (() => void) | null, unlisten: (() => void) | null): void {
    this.#leave = leave;
    this.#unlisten = unlisten;
  }

  restOn(letGo: (() => void) | null): void {
    this.#letGo?.();
    this.#letGo = letGo;
  }

  cursor(): string {
    return this.#subscription?.cursor() ?? '';
  }

  drained(): void {
    this.#subscription?.drained();
  }

  /** Ends it, without telling the client. */
  close(): void {
    this.restOn(null);
    this.#subscription?.close();
    this.#unlisten?.();
    this.#unlisten = null;
    this.#leave?.();
    this.#leave = null;
  }

  // --- The hub's side. ---

  write(bytes: Buffer): boolean {
    return this.#owner.deliver(bytes);
  }

  ended(reason: EndReason): void {
    this.#owner.ended(this, reason);
  }

  // --- Presence. ---

  joined(channel: string, info: ClientInfo): void {
    this.#owner.presenceChanged('join', channel, info);
  }

  left(channel: string, info: ClientInfo): void {
    this.#owner.presenceChanged('leave', channel, info);
  }

  // --- The token's side. ---

  accessEnded(reason: AccessEnd): void {
    this.#letGo = null;
    this.#owner.tokenEnded(this, reason);
  }
}

/** One that is handed deltas of what it had before. */
export class DeltaSubscription extends ChannelSubscription {
  readonly #deltas: DeltaFrames;
  readonly #taker: SubscriptionOwner;
  #before: Buffer | null = null;

  constructor(channel: string, side: Side, owner: SubscriptionOwner, deltas: DeltaFrames) {
    super(channel, side, owner);
    this.#taker = owner;
    this.#deltas = deltas;
  }

  override write(bytes: Buffer): boolean {
    const flush = this.#deltas.make(this.channel, bytes, this.#before);
    this.#before = flush.last;
    return this.#taker.deliver(flush.bytes);
  }
}
