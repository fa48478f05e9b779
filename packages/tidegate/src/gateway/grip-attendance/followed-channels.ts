import { type Clock, Deadlines, type Expiring, type Limits } from '../../kernel/index.ts';
import type { SubscriptionMode } from './port.ts';

/** Hears which channels have subscribers. */
export interface FollowedListener {
  /** The first subscriber has come; or it came back while the channel lingered. */
  began(mode: SubscriptionMode, channel: string, count: number): void;
  /** There are subscribers still: told for each channel every 45 seconds, and within two seconds after their number has changed. */
  goesOn(mode: SubscriptionMode, channel: string, count: number): void;
  ended(mode: SubscriptionMode, channel: string): void;
}

/** How often what goes on is told anew: three quarters of what Pushpin has it hold for (`stats_subscription_ttl`). */
const REFRESH_MS = 45_000;
const SWEEP_MS = 1_000;

/**
 * Which channels have subscribers, over all processes. A long-poll is away for a moment between two requests: a channel of held responses counts as followed
 * for `limits.gripLingerMs` after the last one, unless `limits.gripLingeringMax` channels linger already.
 */
export class FollowedChannels {
  readonly #limits: Limits;
  readonly #deadlines: Deadlines;
  readonly #listeners: FollowedListener[] = [];
  readonly #channels = new Map<string, FollowedChannel>();
  #lingering = 0;

  constructor(clock: Clock, limits: Limits) {
    this.#limits = limits;
    this.#deadlines = new Deadlines(clock, SWEEP_MS);
  }

  /** To be called before anybody comes. */
  tell(listener: FollowedListener): void {
    this.#listeners.push(listener);
  }

  /** So many are subscribed in this way. */
  counted(mode: SubscriptionMode, channel: string, count: number): void {
    const key = `${mode} ${channel}`;
    const followed = this.#channels.get(key);
    if (followed === undefined) {
      if (count > 0) this.#begin(key, mode, channel, count);
    } else if (count === 0) {
      this.#leave(key, followed);
    } else {
      this.#recount(followed, count);
    }
  }

  #begin(key: string, mode: SubscriptionMode, channel: string, count: number): void {
    const followed: FollowedChannel = {
      mode,
      channel,
      count,
      deadlineMs: this.#deadlines.after(REFRESH_MS),
      expired: () => this.#expire(key, followed),
    };
    this.#channels.set(key, followed);
    this.#deadlines.add(followed);
    for (const listener of this.#listeners) listener.began(mode, channel, count);
  }

  #recount(followed: FollowedChannel, count: number): void {
    const isBack = followed.count === 0;
    followed.count = count;
    if (isBack) {
      this.#lingering--;
      followed.deadlineMs = this.#deadlines.after(REFRESH_MS);
      for (const listener of this.#listeners) listener.began(followed.mode, followed.channel, count);
    } else {
      followed.deadlineMs = this.#deadlines.after(0);
    }
  }

  #leave(key: string, followed: FollowedChannel): void {
    if (followed.count === 0) return;
    followed.count = 0;
    const { gripLingerMs, gripLingeringMax } = this.#limits;
    if (followed.mode !== 'response' || gripLingerMs === 0 || this.#lingering >= gripLingeringMax) {
      this.#end(key, followed);
      return;
    }
    this.#lingering++;
    followed.deadlineMs = this.#deadlines.after(gripLingerMs);
  }

  #expire(key: string, followed: FollowedChannel): void {
    const { mode, channel, count } = followed;
    if (count === 0) {
      this.#lingering--;
      this.#end(key, followed);
      return;
    }
    followed.deadlineMs = this.#deadlines.after(REFRESH_MS);
    for (const listener of this.#listeners) listener.goesOn(mode, channel, count);
  }

  #end(key: string, followed: FollowedChannel): void {
    this.#channels.delete(key);
    this.#deadlines.delete(followed);
    for (const listener of this.#listeners) listener.ended(followed.mode, followed.channel);
  }

  close(): void {
    this.#deadlines.stop();
  }
}

interface FollowedChannel extends Expiring {
  readonly mode: SubscriptionMode;
  readonly channel: string;
  /** 0 while it lingers. */
  count: number;
}
