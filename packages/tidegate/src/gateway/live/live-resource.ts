import { Buffer } from 'node:buffer';
import { EMPTY, type Limits, type Logger, TidegateError } from '../../kernel/index.ts';
import { type Failure, failureOfError } from './failure.ts';
import type { FrameForm } from './frames.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { idOf, type LiveValue, parseValue, textOf } from './live-value.ts';
import { type Present, SharedNews } from './news.ts';
import { OriginPoller, type PollerOptions, type PollerOwner } from './origin-poller.ts';
import type { FetchOrigin, JsonDiff, LiveMode, LiveRoute, OriginResponse } from './port.ts';
import type { Place, Subscriber } from './subscriber.ts';
import { NO_VERSION, patchLengthMax, VersionRing } from './version-ring.ts';

/** The patch between values that are equal as JSON. */
const NO_OPERATIONS = '[]';

/** A new value, and what makes it of the one before. */
interface Change {
  readonly value: LiveValue;
  readonly patch: string | null;
}

/** What resources share, and tell. */
export interface ResourceHost {
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: LiveMetrics;
  readonly diff: JsonDiff;
  /** The length of the value's text has changed by so much. */
  resized(by: number): void;
  /** Somebody is there again. */
  woke(resource: LiveResource): void;
  /** Nobody is there any more. */
  slept(resource: LiveResource): void;
}

/**
 * One value of an origin, with everybody who follows it. It polls while somebody is there. Of the past it keeps the patches that lead
 * to the present; of a subscriber only where it is, so that a slow one misses versions and never has a queue.
 */
export class LiveResource implements PollerOwner, Present {
  readonly key: string;
  readonly ring: VersionRing;
  readonly #route: LiveRoute;
  readonly #host: ResourceHost;
  readonly #poller: OriginPoller;
  readonly #arrivals = new Set<Subscriber>();
  readonly #followers = new Set<Subscriber>();
  #value: LiveValue | null = null;
  #body: Buffer | null = null;
  #failure: Failure | null = null;
  /** What is known is too old for newcomers, and a poll is under way. */
  #isAwaited = false;
  /** Nobody leaves for good while everybody is told something. */
  #isTelling = false;
  #isAwake = false;
  readonly #news = new SharedNews();

  constructor(
    key: string,
    route: LiveRoute,
    host: ResourceHost,
    polling: Omit<PollerOptions, 'everyMs'>,
    fetch: FetchOrigin,
  ) {
    this.key = key;
    this.#route = route;
    this.#host = host;
    this.ring = new VersionRing(route.mode === 'patch' ? host.limits.liveVersionsMax : 1);
    this.#poller = new OriginPoller({ ...polling, everyMs: route.everyMs }, this, fetch);
  }

  /** Further polls go this way. */
  use(fetch: FetchOrigin): void {
    this.#poller.use(fetch);
  }

  get mode(): LiveMode {
    return this.#route.mode;
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
    return this.#value === null ? null : this.#poller.tag;
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

  /** Ends everything: polls, and everybody who is there. */
  drain(): void {
    this.#poller.stop();
    this.#isTelling = true;
    for (const follower of [...this.#followers]) follower.draining();
    this.#failure = { ...failureOfError(new TidegateError('draining')), kind: 'final' };
    this.#admit();
    this.#isTelling = false;
    this.#rest();
  }

  /** Stops without a word. */
  close(): void {
    this.#poller.stop();
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
    this.#isAwaited = this.#poller.isDue;
    this.#poller.start();
  }

  #rest(): void {
    if (!this.#isAwake || this.#isTelling || this.#arrivals.size > 0 || this.#followers.size > 0) return;
    this.#isAwake = false;
    this.#isAwaited = false;
    this.#news.clear();
    this.#poller.stop();
    this.#host.slept(this);
  }

  // --- Polls. ---

  answered(response: OriginResponse): Failure | null {
    let change: Change | null;
    try {
      change = this.#read(response);
    } catch (error) {
      return failureOfError(TidegateError.from(error));
    }
    if (change === null) this.confirmed();
    else this.#replace(change);
    return null;
  }

  confirmed(): void {
    this.#host.metrics.polls.unchanged.add(1);
    this.#settle(null, 'same');
  }

  failed(failure: Failure): void {
    this.#host.metrics.polls.failed.add(1);
    this.#settle(failure, 'same');
  }

  /** What is new in an answer; null if nothing is. @throws TidegateError if the answer is no value */
  #read(response: OriginResponse): Change | null {
    const text = textOf(response, this.#host.limits.liveValueBytesMax);
    const id = idOf(text);
    const before = this.#value;
    if (id === before?.id) return null;
    const value = parseValue(id, text);
    const patch = before === null ? null : this.#patch(before, value);
    // White space or the order of members: to whoever reads JSON, the value is as it was.
    return patch === NO_OPERATIONS ? null : { value, patch };
  }

  #replace({ value, patch }: Change): void {
    this.#host.metrics.polls.changed.add(1);
    this.#host.resized(value.text.length - (this.#value?.text.length ?? 0));
    this.#value = this.mode === 'patch' ? value : { ...value, json: null };
    this.#body = null;
    this.ring.append(value.id, patch, patchLengthMax(value.text.length));
    this.#settle(null, 'changed');
  }

  /** What makes `after` of `before`; null if the whole value says it better, or nothing else can. */
  #patch(before: LiveValue, after: LiveValue): string | null {
    if (this.mode === 'value' || before.isInexact || after.isInexact) return null;
    try {
      const patch = JSON.stringify(this.#host.diff(before.json, after.json));
      return patch.length > patchLengthMax(after.text.length) ? null : patch;
    } catch {
      // JSON may be nested more deeply than can be compared.
      return null;
    }
  }

  #settle(failure: Failure | null, value: 'changed' | 'same'): void {
    const before = this.#failure;
    this.#isAwaited = false;
    // A failure that lasts is told once.
    if (failure === null || failure.sameness !== before?.sameness) this.#failure = failure;
    const isNews = value === 'changed' || this.#failure !== before;
    if (isNews) this.#news.clear();
    // What was never there is nobody's loss, and whoever asks for it must not fill the log.
    if (this.#failure !== before && this.#value !== null) this.#log(failure);
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

  #log(failure: Failure | null): void {
    const fields = { route: this.#route.name };
    const { logger } = this.#host;
    if (failure === null) logger.info(fields, 'The origin of a live route answers again');
    else
      logger.warn({ ...fields, error: failure.error }, 'The origin of a live route does not give its value');
  }
}
