import assert from 'node:assert/strict';
import type { Buffer } from 'node:buffer';
import { decodeCursor } from '../../src/channels/cursor.ts';
import {
  type EndReason,
  type Hub,
  parsePosition,
  type Sink,
  type SlowPolicy,
  type Subscription,
} from '../../src/channels/index.ts';
import { matchesPattern } from '../../src/channels/pattern.ts';
import { type Random, resolveLimits } from '../../src/kernel/index.ts';
import type { Log } from '../../src/log/index.ts';
import { type Line, lineEncoder, parseLines } from '../support/line-encoder.ts';

export const pick = <Value>(random: Random, values: readonly Value[]): Value =>
  values[random.uint32() % values.length];
export const chance = (random: Random, percent: number): boolean => random.uint32() % 100 < percent;

/** A message that a publisher was told is stored, by where it is. */
export interface Stored {
  readonly channel: string;
  readonly data: string;
  /** `topic~partition`. */
  readonly place: string;
  readonly offset: number;
}

/** `topic~partition` to the next offset. */
type Positions = ReadonlyMap<string, number>;

const limits = resolveLimits();

function positionsOf(cursor: string): Positions {
  const positions = new Map<string, number>();
  for (const { topic, offsets } of decodeCursor(cursor, limits))
    for (const [partition, offset] of offsets) positions.set(`${topic}~${partition}`, offset);
  return positions;
}

/** What reached a client, in order. */
type Arrival =
  | { readonly kind: 'connected' }
  | { readonly kind: 'line'; readonly line: Line; readonly starts: Positions | null };

export interface ClientOptions {
  readonly patterns: readonly string[];
  readonly slowPolicy: SlowPolicy;
  readonly gapEnds: boolean;
  /** How often its sink throws, in percent. */
  readonly throwsPercent: number;
}

/**
 * A client whose transport fills up, breaks off and now and then throws, as a seed decides. It resumes from the last position that
 * reached it, and keeps what arrived for `verify`.
 */
export class SimulatedClient implements Sink {
  readonly options: ClientOptions;
  cursor: string | null = null;
  subscription: Subscription | null = null;
  readonly #random: Random;
  readonly #arrivals: Arrival[] = [];
  #first: Positions = new Map();
  #log: Log | null = null;
  #full = false;
  #closed = false;
  /** What was handed over, but did not reach the client yet. */
  #underWay: Arrival[] = [];

  constructor(random: Random, options: ClientOptions) {
    this.#random = random;
    this.options = options;
  }

  connect(hub: Hub, log: Log, from: 'earliest' | 'latest'): void {
    this.#full = false;
    this.#closed = false;
    this.#underWay = [];
    this.#log = log;
    this.#arrivals.push({ kind: 'connected' });
    this.subscription = hub.subscribe({
      channels: this.options.patterns,
      from: parsePosition(this.cursor ?? from),
      encoder: lineEncoder(),
      sink: this,
      slowPolicy: this.options.slowPolicy,
      gapEnds: this.options.gapEnds,
      protocol: 'test',
    });
    if (this.cursor !== null) return;
    // A client holds the position that it began at, as real ones do that were told none yet.
    this.cursor = this.subscription.cursor();
    this.#first = positionsOf(this.cursor);
    for (const [place, offset] of this.#first) {
      const [topic, partition] = place.split('~');
      const { start, end } = log.bounds(topic, Number(partition));
      assert.equal(offset, from === 'earliest' ? start : end);
    }
  }

  write(bytes: Buffer): boolean {
    assert.equal(this.#closed, false, 'nothing may be written to a closed transport');
    assert.equal(this.#full, false, 'nothing may be written to a full transport');
    if (chance(this.#random, this.options.throwsPercent)) throw new Error('The sink is broken');
    for (const line of parseLines(bytes)) this.#underWay.push(this.#arrival(line));
    this.#full = chance(this.#random, 30);
    return !this.#full;
  }

  ended(reason: EndReason): void {
    const { subscription } = this;
    this.subscription = null;
    this.#closed = true;
    if (reason === 'gap') {
      assert.ok(this.options.gapEnds);
      // All that was sent arrives, and then why nothing more does.
      const cursor = subscription?.cursor() ?? '';
      this.#underWay.push(this.#arrival({ kind: 'gap', reason: 'below_retention', cursor }));
      this.deliver();
    }
    if (reason === 'too_slow') assert.equal(this.options.slowPolicy, 'close');
    this.#underWay = [];
  }

  #arrival(line: Line): Arrival {
    return { kind: 'line', line, starts: line.kind === 'gap' ? this.#starts(line.cursor) : null };
  }

  /** Where the partitions of a cursor begin now. */
  #starts(cursor: string): Positions {
    const starts = new Map<string, number>();
    for (const place of positionsOf(cursor).keys()) {
      const [topic, partition] = place.split('~');
      starts.set(place, this.#log?.bounds(topic, Number(partition)).start ?? 0);
    }
    return starts;
  }

  /** The network delivers what is under way. */
  deliver(): void {
    for (const arrival of this.#underWay) {
      this.#arrivals.push(arrival);
      if (arrival.kind === 'line' && arrival.line.cursor !== '') this.cursor = arrival.line.cursor;
    }
    this.#underWay = [];
    if (this.#full) {
      this.#full = false;
      this.subscription?.drained();
    }
  }

  /** The connection breaks: what is under way never arrives. */
  cut(): void {
    this.#underWay = [];
    this.subscription?.close();
    this.subscription = null;
    this.#closed = true;
  }

  wants(channel: string): boolean {
    return this.options.patterns.some((pattern) => matchesPattern(pattern, channel));
  }

  /**
   * Checks that each message arrived that is between the first position and the end, once and in order, but for those that a gap
   * told of, and those that `drop` replaced by a later one. Returns how many gaps there were.
   */
  verify(stored: readonly Stored[], title: string): number {
    const wanted = new Map<string, Stored[]>();
    for (const one of stored) {
      if (!this.wants(one.channel)) continue;
      const list = wanted.get(one.place);
      if (list === undefined) wanted.set(one.place, [one]);
      else list.push(one);
    }
    for (const list of wanted.values()) list.sort((a, b) => a.offset - b.offset);
    let positions = this.#first;
    let conflating = false;
    let gaps = 0;
    const replaced = new Set<string>();
    /** Goes on to another position, and returns what is passed by that. */
    const pass = (next: Positions): readonly Stored[] => {
      const passed: Stored[] = [];
      for (const [place, to] of next) {
        const from = positions.get(place);
        assert.ok(from !== undefined && from <= to, `${title}: ${place} went from ${from} to ${to}`);
        const list = wanted.get(place) ?? [];
        for (let i = firstFrom(list, from); i < list.length && list[i].offset < to; i++) passed.push(list[i]);
      }
      positions = next;
      return passed;
    };
    for (const arrival of this.#arrivals) {
      if (arrival.kind === 'connected') {
        conflating = false;
        continue;
      }
      const { line, starts } = arrival;
      if (line.cursor === '') continue;
      const passed = [...pass(positionsOf(line.cursor))];
      if (line.kind === 'message') {
        const at = passed.findIndex(({ channel, data }) => channel === line.channel && data === line.data);
        assert.notEqual(at, -1, `${title}: ${line.data} of ${line.channel} came out of place`);
        passed.splice(at, 1);
        replaced.delete(line.channel);
        if (conflating) for (const { channel } of passed) if (channel !== line.channel) replaced.add(channel);
      } else if (line.kind === 'gap') {
        gaps++;
        if (line.reason === 'conflated') {
          assert.equal(this.options.slowPolicy, 'drop');
          conflating = true;
        } else {
          assert.equal(line.reason, 'below_retention', title);
          while (passed.length > 0 && passed[0].offset < (starts?.get(passed[0].place) ?? 0)) passed.shift();
        }
        assert.deepEqual(passed, [], `${title}: a gap without a reason`);
      }
      if (!conflating) assert.deepEqual(passed, [], `${title}: lost before ${JSON.stringify(line)}`);
    }
    for (const [place, list] of wanted) {
      const position = positions.get(place);
      assert.notEqual(position, undefined, `${title}: ${place} is not in the cursor`);
      assert.deepEqual(list.slice(firstFrom(list, position as number)), [], `${title}: the end is missing`);
    }
    assert.deepEqual([...replaced], [], `${title}: the latest message is missing`);
    return gaps;
  }
}

/** The index of the first whose offset is `offset` or greater. */
function firstFrom(list: readonly Stored[], offset: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle].offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
