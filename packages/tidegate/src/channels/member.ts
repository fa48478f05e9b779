import type { Buffer } from 'node:buffer';
import type { Audience } from './audience.ts';
import { distanceToLive, type Place } from './place.ts';
import type { GapReason, HubEndReason, Sink, SlowPolicy, Subscription } from './port.ts';
import type { StartPlace } from './start-place.ts';

/** What a member tells its hub. */
export interface MemberHost {
  /** The member wants to take a step at the end of this turn. */
  catchUp(member: Member): void;
  /** The member does not keep pace, or does again. */
  behind(member: Member): void;
  caughtUp(member: Member): void;
  left(member: Member, reason: HubEndReason | null): void;
  /** What the subscriber's edge, or reading for it, threw. */
  failed(error: unknown): void;
}

/**
 * One subscriber. It is live (its place is the audience's and it holds none of its own), or it waits for its transport to
 * drain, or it catches up. There is no queue: being behind costs a place.
 */
export class Member implements Subscription {
  readonly audience: Audience;
  readonly sink: Sink;
  readonly policy: SlowPolicy;
  readonly gapEnds: boolean;
  closed = false;
  /** Index in the audience's live list; -1 if not live. */
  liveIndex = -1;
  /** Where it stands while it is not live. */
  place: Place | null;
  #waiting = false;
  /** From where on control records are told; null once it has been live, as it is then told them all. */
  #controls: Place | null;
  /** It was too slow and takes only the latest of each channel until it is live again. */
  #conflating = false;
  /** A gap that it is still to be told. */
  #gap: GapReason | null;
  readonly #host: MemberHost;

  /** @param controls from where on control records are told */
  constructor(
    audience: Audience,
    { place, gap }: StartPlace,
    controls: Place,
    options: { readonly sink: Sink; readonly slowPolicy: SlowPolicy; readonly gapEnds?: boolean },
    host: MemberHost,
  ) {
    this.audience = audience;
    this.sink = options.sink;
    this.policy = options.slowPolicy;
    this.gapEnds = options.gapEnds === true;
    this.place = place;
    this.#gap = gap;
    this.#controls = controls;
    this.#host = host;
  }

  /** Hands bytes to the sink; false if it has no room for more. Whoever throws is ended. */
  hand(bytes: Buffer, messages: number): boolean {
    try {
      return this.sink.write(bytes, messages);
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Tells the sink of a control record. Whoever throws is ended. */
  control(text: string): void {
    try {
      this.sink.control?.(text);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** It was live and is to go on from `place` by reading the log. */
  fallBack(place: Place): void {
    if (this.closed) return;
    this.place = place;
    this.#host.behind(this);
    this.#host.catchUp(this);
  }

  /** The transport is full: stands at `place` until it drains. */
  wait(place: Place): void {
    if (this.closed) return;
    this.place = place;
    this.#waiting = true;
    this.audience.waiting++;
    this.#host.behind(this);
  }

  drained(): void {
    if (this.closed || !this.#waiting) return;
    this.#stopWaiting();
    const place = this.place as Place;
    if (!this.audience.isCurrent(place)) {
      if (this.policy === 'close' && !this.audience.isInTail(place)) {
        this.end('too_slow');
        return;
      }
      if (this.policy === 'drop' && !this.#conflating) {
        this.#conflating = true;
        // Where a gap cannot be said in band, the subscriber's own wish for `drop` has to do.
        if (!this.gapEnds) this.#gap ??= 'conflated';
      }
    }
    this.#host.catchUp(this);
  }

  /** How many log records lie between it and live; 0 if it is live or closed. */
  get distance(): number {
    return this.place === null || this.closed ? 0 : distanceToLive(this.place, this.audience.sources);
  }

  /** Takes one step from catching up towards live. Returns whether it wants another; false if it is live, full or closed. */
  advance(): boolean {
    if (this.closed || this.#waiting || this.place === null) return false;
    try {
      return this.#step(this.place);
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #step(place: Place): boolean {
    if (this.#gap !== null) return this.#tellGap(this.#gap, place);
    if (this.audience.isLive(place)) {
      this.place = null;
      this.#conflating = false;
      this.#host.caughtUp(this);
      this.audience.addLive(this);
      if (this.#controls !== null) {
        this.#controls = null;
        this.sink.caughtUp?.();
      }
      return false;
    }
    const chunk = this.#conflating ? this.audience.conflatedChunkAt(place) : this.audience.chunkAt(place);
    this.place = chunk.end;
    if (chunk.gap !== null && this.gapEnds) {
      this.end('gap');
      return false;
    }
    if (chunk.control !== undefined) {
      if (this.#isToBeTold(place, chunk.end)) this.control(chunk.control);
      return !this.closed;
    }
    this.audience.countOne(chunk);
    if (chunk.bytes.length > 0 && !this.hand(chunk.bytes, chunk.messages)) {
      this.wait(chunk.end);
      return false;
    }
    return !this.closed;
  }

  /** Whether the control record that lies just before `end` was stored since this is to be told of them: what was published before it came was not said to it. */
  #isToBeTold(place: Place, end: Place): boolean {
    const controls = this.#controls;
    return controls === null || end.some((next, i) => next > place[i] && next > controls[i]);
  }

  #tellGap(gap: GapReason, place: Place): boolean {
    this.#gap = null;
    if (this.gapEnds) {
      this.end('gap');
      return false;
    }
    this.audience.counters.gaps.add(1);
    if (this.hand(this.audience.encodeGap(gap, place), 0)) return !this.closed;
    this.wait(place);
    return false;
  }

  cursor(): string {
    return this.audience.cursor(this.place ?? this.audience.placeOf(this));
  }

  close(): void {
    this.#leave(null);
  }

  /** Ends it from the server's side. */
  end(reason: HubEndReason): void {
    if (this.closed) return;
    this.#leave(reason);
    try {
      this.sink.ended(reason);
    } catch (error) {
      this.#host.failed(error);
    }
  }

  #fail(error: unknown): void {
    this.#host.failed(error);
    this.end('failed');
  }

  #leave(reason: HubEndReason | null): void {
    if (this.closed) return;
    // The cursor of a closed subscription can still be asked for: it stays where it was.
    this.place ??= this.audience.placeOf(this);
    this.closed = true;
    this.#stopWaiting();
    if (this.liveIndex !== -1) this.audience.live.leave(this);
    this.#host.left(this, reason);
  }

  #stopWaiting(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.audience.waiting--;
  }
}
