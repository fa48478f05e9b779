import { Buffer } from 'node:buffer';
import { EMPTY, type Limits, type Logger, TidegateError } from '../../kernel/index.ts';
import { type Failure, failureOfError } from './failure.ts';
import type { FrameForm } from './frames.ts';
import type { LiveMetrics } from './live-metrics.ts';
import type { LiveValue } from './live-value.ts';
import { type Present, SharedNews } from './news.ts';
import type { JsonDiff, LiveMode, OriginOf, RoutedPath } from './port.ts';
import type { ValueSource, ValueTaker } from './source.ts';
import type { Place, Subscriber } from './subscriber.ts';
import { NO_VERSION, patchLengthMax, VersionRing, type VersionStep } from './version-ring.ts';

/** What resources share, and tell. */
export interface ResourceHost {
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: LiveMetrics;
  readonly diff: JsonDiff;
  readonly originOf: OriginOf;
  /** The length of the value's text has changed by so much. */
  resized(by: number): void;
  /** Somebody is there again. */
  woke(resource: LiveResource): void;
  /** Nobody is there any more. */
  slept(resource: LiveResource): void;
}

/**
 * One value of an origin, with everybody who follows it. Its source is started while somebody is there. Of the past it keeps the patches that lead
 * to the present; of a subscriber only where it is, so that a slow one misses versions and never has a queue.
 */
export class LiveResource implements ValueTaker, Present {
  readonly key: string;
  readonly ring: VersionRing;
  readonly mode: LiveMode;
  readonly #host: ResourceHost;
  readonly #source: ValueSource;
  readonly #arrivals = new Set<Subscriber>();
  readonly #followers = new Set<Subscriber>();
  #value: LiveValue | null = null;
  #body: Buffer | null = null;
  #failure: Failure | null = null;
  /** What is known is too old for newcomers, and something newer is under way. */
  #isAwaited = false;
  /** Nobody leaves for good while everybody is told something. */
  #isTelling = false;
  #isAwake = false;
  readonly #news = new SharedNews();

  constructor(
    key: string,
    mode: LiveMode,
    host: ResourceHost,
    sourceFor: (taker: ValueTaker) => ValueSource,
  ) {
    this.key = key;
    this.mode = mode;
    this.#host = host;
    this.ring = new VersionRing(mode === 'patch' ? host.limits.liveVersionsMax : 1);
    this.#source = sourceFor(this);
  }

  /** What comes from now on comes this way. */
  use(path: RoutedPath): void {
    this.#source.use(path);
  }

  /** The current value; null as long as there was none. */
  get value(): LiveValue | null {
    return this.#value;
  }

  /** The text of the value as bytes, made once for all. Without a value, nothing. */
  get body(): Buffer {
    this.#body ??= Buffer.from(this.#value?.text ?? '', 'utf8');
    return this.#body;
  }

  /** The origin's own tag of the value; null if it gave none. */
  get originTag(): string | null {
    return this.#value === null ? null : this.#source.tag;
  }

  /** Why the last poll brought nothing; null if it did. */
  get failure(): Failure | null {
    return this.#failure;
  }

  /** Why newcomers get no value; null if they get one. */
  get refusal(): Failure | null {
    const failure = this.#failure;
    return failure !== null && (this.#value === null || failure.kind === 'final') ? failure : null;
  }

  // --- Subscribers. ---

  /** Tells the arrival when it is known what there is, which may be before this returns. */
  enter(arrival: Subscriber): void {
    this.#arrivals.add(arrival);
    this.#wake();
    const isKnown = this.#value !== null || this.#failure !== null;
    if (this.#isAwaited || !isKnown || !this.#arrivals.delete(arrival)) return;
    arrival.ready();
    this.#rest();
  }

  /** For arrivals that are ready and want to stay. */
  follow(follower: Subscriber): void {
    this.#followers.add(follower);
    this.#wake();
  }

  leave(who: Subscriber): void {
    this.#arrivals.delete(who);
    this.#followers.delete(who);
    this.#rest();
  }

  /** Where somebody is that has the version of this id; empty for nobody's. */
  placeOf(id: string): number {
    return id === '' ? NO_VERSION : this.ring.find(id);
  }

  /**
   * What brings a subscriber from its place to the present, and moves the place there; EMPTY if it is there. Those who come from the
   * same place, as nearly all do, get the same bytes.
   */
  news(form: FrameForm, place: Place): Buffer {
    const { version, told } = place;
    place.version = this.ring.current;
    place.told = this.#failure;
    if (version === place.version && told === this.#failure) return EMPTY;
    const { frames, bytes } = this.#news.from(form, version, told, this);
    for (const { kind } of frames) this.#host.metrics.frames[kind].add(1);
    return bytes;
  }

  /** The bytes of a patch that makes the value of a version, shared like the news. */
  patchFrom(version: number, value: LiveValue): Buffer {
    return this.#news.patchFrom(version, value, this);
  }

  /** Ends everything: the source, and everybody who is there. */
  drain(): void {
    this.#source.stop();
    this.#isTelling = true;
    for (const follower of [...this.#followers]) follower.draining();
    this.#failure = { ...failureOfError(new TidegateError('draining')), kind: 'final' };
    this.#admit();
    this.#isTelling = false;
    this.#rest();
  }

  /** Stops without a word. */
  close(): void {
    this.#source.stop();
    // Those who are still told to leave change nothing any more.
    this.#isAwake = false;
    this.#arrivals.clear();
    this.#followers.clear();
    this.#news.clear();
    this.#host.resized(-(this.#value?.text.length ?? 0));
    this.#value = null;
    this.#body = null;
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#host.woke(this);
    this.#isAwaited = this.#source.isDue;
    this.#source.start();
  }

  #rest(): void {
    if (!this.#isAwake || this.#isTelling || this.#arrivals.size > 0 || this.#followers.size > 0) return;
    this.#isAwake = false;
    this.#isAwaited = false;
    this.#news.clear();
    this.#source.stop();
    this.#host.slept(this);
  }

  // --- The source's side. ---

  settled(failure: Failure | null): void {
    this.#settle(failure, 'same');
  }

  changed(value: LiveValue, steps: readonly VersionStep[], failure: Failure | null): void {
    this.#host.resized(value.text.length - (this.#value?.text.length ?? 0));
    this.#value = value;
    this.#body = null;
    const lengthMax = patchLengthMax(value.text.length);
    for (const { id, patch } of steps) this.ring.append(id, patch, lengthMax);
    this.#settle(failure, 'changed');
  }

  #settle(failure: Failure | null, value: 'changed' | 'same'): void {
    const before = this.#failure;
    this.#isAwaited = false;
    // A failure that lasts is told once.
    if (failure === null || failure.sameness !== before?.sameness) this.#failure = failure;
    const isNews = value === 'changed' || this.#failure !== before;
    if (isNews) this.#news.clear();
    this.#isTelling = true;
    if (isNews) for (const follower of this.#followers) follower.changed();
    this.#admit();
    this.#isTelling = false;
    this.#rest();
  }

  #admit(): void {
    const arrivals = [...this.#arrivals];
    this.#arrivals.clear();
    for (const arrival of arrivals) arrival.ready();
  }
}
