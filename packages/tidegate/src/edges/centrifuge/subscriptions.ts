import type { Buffer } from 'node:buffer';
import type { AccessEnd, Identity } from '../../access/port.ts';
import { type Channels, type EndReason, hasWildcard, type StartPosition } from '../../channels/index.ts';
import type { ChannelSubscription, SubscriptionOwner } from './channel-subscription.ts';
import { type SessionContext, ttlSeconds } from './context.ts';
import { type Begun, beginSubscription } from './opening.ts';
import type { Outbox } from './outbox.ts';
import type { ClientInfo } from './protocol.ts';
import { type Missed, NOTHING_MISSED, readMissed, toldPosition } from './recovery.ts';
import {
  DISCONNECT,
  type Disconnect,
  ERROR,
  type ProtocolError,
  protocolErrorOf,
  UNSUBSCRIBE,
} from './status.ts';
import { type Opened, type Opening, refusal, type SubscriptionRequest } from './subscription-request.ts';
import { optionsOfToken, verifySubscriptionToken } from './subscription-token.ts';

/** What subscriptions need of their session. */
export interface SubscriptionsHost {
  readonly context: SessionContext;
  readonly outbox: Outbox;
  readonly identity: Identity;
  readonly info: ClientInfo;
  /** The address of the client. */
  readonly from: string;
  /** Sends replies and pushes only while it is true. */
  readonly isOpen: boolean;
  disconnect(reason: Disconnect): void;
}

/** A subscription that may be had. */
interface Granted extends SubscriptionRequest {
  /** The token that it rests on; null if it rests on the connection's. */
  readonly token: Identity | null;
}

/** The subscriptions of one client. */
export class Subscriptions implements SubscriptionOwner {
  readonly #host: SubscriptionsHost;
  readonly #byChannel = new Map<string, ChannelSubscription>();

  constructor(host: SubscriptionsHost) {
    this.#host = host;
  }

  get(channel: string): ChannelSubscription | undefined {
    return this.#byChannel.get(channel);
  }

  /** Who the client is to others in a channel. */
  infoIn(channel: string): ClientInfo {
    const chanInfo = this.#byChannel.get(channel)?.chanInfo ?? null;
    const { info } = this.#host;
    return chanInfo === null ? info : { ...info, chanInfo };
  }

  /**
   * Looks whether a subscription may be had, and what the client has missed. Those of the server's side need no permission.
   * Calls back once, now or later, and not at all if the session ends meanwhile.
   */
  prepare(request: SubscriptionRequest, ready: (opening: Opening) => void): void {
    const { channel, wish, side } = request;
    const { identity, context } = this.#host;
    if (this.#byChannel.has(channel)) ready(refusal(ERROR.alreadySubscribed));
    else if (this.#byChannel.size >= context.limits.centrifugeSubscriptionsMax)
      ready(refusal(ERROR.limitExceeded));
    else if (wish.extras === 'unknown') ready(refusal(ERROR.notAvailable));
    else if (wish.joinLeave && !identity.allows('presence', channel)) ready(refusal(ERROR.permissionDenied));
    else if (wish.token !== '') {
      verifySubscriptionToken(this.#host, channel, wish.token, 'subscribe', (token) => {
        if ('code' in token) ready(refusal(token));
        else this.#recover({ ...request, options: optionsOfToken(token), token }, ready);
      });
    } else if (side === 'client' && !identity.allows('subscribe', channel))
      ready(refusal(ERROR.permissionDenied));
    else this.#recover({ ...request, token: null }, ready);
  }

  /** Takes a new token for a subscription that has one. Tells how long it is good for, in seconds. */
  refresh(channel: string, token: string, settle: (outcome: number | ProtocolError) => void): void {
    const subscription = this.#byChannel.get(channel);
    if (subscription === undefined) {
      settle(ERROR.permissionDenied);
      return;
    }
    verifySubscriptionToken(this.#host, channel, token, 'refresh', (outcome) => {
      if ('code' in outcome) settle(outcome);
      else if (this.#byChannel.get(channel) !== subscription) settle(ERROR.expired);
      else {
        this.#rest(subscription, outcome);
        settle(ttlSeconds(outcome, this.#host.context.clock));
      }
    });
  }

  /** Ends a subscription, without telling the client. Returns whether there was one. */
  end(channel: string): boolean {
    const subscription = this.#byChannel.get(channel);
    if (subscription === undefined) return false;
    this.#forget(subscription);
    return true;
  }

  endAll(): void {
    for (const subscription of [...this.#byChannel.values()]) this.#forget(subscription);
  }

  /** Ends those that the identity does not allow, after it has changed. */
  review(): void {
    const { identity } = this.#host;
    for (const subscription of [...this.#byChannel.values()]) {
      const { channel, side, hasToken } = subscription;
      if (side === 'client' && !hasToken && !identity.allows('subscribe', channel))
        this.#tellEnd(subscription, UNSUBSCRIBE.server);
    }
  }

  drained(): void {
    for (const subscription of this.#byChannel.values()) {
      if (this.#host.outbox.isBlocked) return;
      subscription.drained();
    }
  }

  /** Ends a subscription and tells the client why. */
  tellEnd(channel: string, reason: Disconnect): void {
    const subscription = this.#byChannel.get(channel);
    if (subscription !== undefined) this.#tellEnd(subscription, reason);
  }

  // --- Beginning one. ---

  #recover(granted: Granted, ready: (opening: Opening) => void): void {
    const { channel, wish } = granted;
    const latest: Opening = {
      takes: 1,
      open: () => this.#open(granted, { kind: 'latest' }, NOTHING_MISSED),
    };
    if (wish.recover === null) {
      ready(latest);
      return;
    }
    readMissed(this.#host.context, this.#channels, channel, wish, (missed) => {
      if (!this.#host.isOpen) return;
      if (missed === 'unrecoverable')
        ready(wish.unrecovered === 'goes on' ? latest : refusal(ERROR.unrecoverablePosition));
      else if ('code' in missed) ready(refusal(missed));
      // A larger recovery goes on as pushes, from where the reply ends.
      else
        ready({
          takes: 1,
          open: () => this.#open(granted, { kind: 'offset', ...missed.next }, missed),
        });
    });
  }

  get #channels(): Channels {
    const { context, identity } = this.#host;
    return context.access.limitedChannelsFor(identity, this.#host);
  }

  #open(granted: Granted, from: StartPosition, missed: Missed): Opened {
    const { channel, wish, side, options, token } = granted;
    if (this.#byChannel.has(channel)) return refusal(ERROR.alreadySubscribed).open();
    let begun: Begun;
    try {
      const { format } = this.#host.context;
      begun = beginSubscription(format, this.#channels, this, channel, from, side, wish);
    } catch (error) {
      return refusal(protocolErrorOf(error)).open();
    }
    const { subscription, position, delta } = begun;
    this.#byChannel.set(channel, subscription);
    subscription.chanInfo = options.info;
    if (token !== null) this.#rest(subscription, token);
    return {
      outcome: {
        ttlSeconds: token === null ? 0 : ttlSeconds(token, this.#host.context.clock),
        position: toldPosition(position, wish, missed),
        wasRecovering: wish.recover !== null,
        recovered: missed.recovered,
        publications: missed.publications,
        delta,
        data: options.data,
      },
      entered: () => {
        if (this.#byChannel.get(channel) === subscription) this.#enter(subscription, granted);
      },
    };
  }

  /** Lists the client as present: in channels, not in patterns. */
  #enter(subscription: ChannelSubscription, { wish, options }: Granted): void {
    const { context } = this.#host;
    const { channel } = subscription;
    if (hasWildcard(channel)) return;
    // First the listener: a client is told of itself too.
    const listens = wish.joinLeave || options.joinLeave === 'pushed';
    const unlisten = listens ? context.presence.listen(channel, subscription) : null;
    const { visibility } = options;
    const leave =
      visibility === null ? null : context.presence.join(channel, this.infoIn(channel), visibility);
    subscription.enter(leave, unlisten);
  }

  #rest(subscription: ChannelSubscription, token: Identity): void {
    subscription.chanInfo = optionsOfToken(token).info;
    const { access, clock } = this.#host.context;
    if (subscription.expiryTimer !== null) clock.clearTimer(subscription.expiryTimer);
    subscription.expiryTimer = null;
    subscription.restOn(access.hold(token, subscription));
  }

  // --- What a subscription tells. ---

  deliver(bytes: Buffer): boolean {
    const { outbox } = this.#host;
    const hasRoom = outbox.deliver(bytes);
    // What it is not sent, it recovers when it comes back.
    if (outbox.isOverfull) this.#host.disconnect(DISCONNECT.slow);
    return hasRoom;
  }

  ended(subscription: ChannelSubscription, reason: EndReason): void {
    switch (reason) {
      case 'draining':
        this.#host.disconnect(DISCONNECT.shutdown);
        break;
      case 'gap':
      case 'topics_changed':
        // The client subscribes again, and learns then that it cannot be recovered.
        this.#tellEnd(subscription, UNSUBSCRIBE.insufficientState);
        break;
      case 'too_slow':
        this.#host.disconnect(DISCONNECT.slow);
        break;
      case 'expired':
        this.#tellEnd(subscription, UNSUBSCRIBE.expired);
        break;
      case 'revoked':
        this.#tellEnd(subscription, UNSUBSCRIBE.server);
        break;
      case 'failed':
        this.#host.disconnect(DISCONNECT.serverError);
        break;
    }
  }

  presenceChanged(kind: 'join' | 'leave', channel: string, info: ClientInfo): void {
    this.#host.outbox.push({ kind, channel, info });
    if (this.#host.outbox.isOverfull) this.#host.disconnect(DISCONNECT.slow);
  }

  tokenEnded(subscription: ChannelSubscription, reason: AccessEnd): void {
    if (reason === 'revoked') {
      this.#tellEnd(subscription, UNSUBSCRIBE.server);
      return;
    }
    const { clock, limits } = this.#host.context;
    const expire = (): void => this.#tellEnd(subscription, UNSUBSCRIBE.expired);
    subscription.expiryTimer = clock.setTimer(expire, limits.centrifugeExpiryGraceMs);
  }

  #tellEnd(subscription: ChannelSubscription, { code, reason }: Disconnect): void {
    if (this.#byChannel.get(subscription.channel) !== subscription) return;
    this.#forget(subscription);
    // A client does not subscribe again by itself where the server did; it does everything again when it comes back.
    if (subscription.side === 'server' && code >= UNSUBSCRIBE.insufficientState.code) {
      this.#host.disconnect(DISCONNECT.insufficientState);
    } else {
      this.#host.outbox.push({ kind: 'unsubscribe', channel: subscription.channel, code, reason });
    }
  }

  #forget(subscription: ChannelSubscription): void {
    if (subscription.expiryTimer !== null) this.#host.context.clock.clearTimer(subscription.expiryTimer);
    subscription.expiryTimer = null;
    this.#byChannel.delete(subscription.channel);
    subscription.close();
  }
}
