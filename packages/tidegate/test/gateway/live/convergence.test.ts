import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { resolveLimits } from '../../../src/kernel/index.ts';
import { applyPatch } from '../../../src/wire/json-patch/index.ts';
import type { FakeExchange, LiveStage, Told } from './fakes.ts';
import { LiveProcesses } from './live-processes.ts';

const LIMITS = resolveLimits();

/** A JSON value, as far as this test makes any. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const INTERVAL_MS = 1000;

/** A client that folds what it is told, stalls, leaves and comes back with the id that it has, each time to another process. */
class Follower {
  readonly #server: LiveProcesses;
  readonly #form: 'sse' | 'socket';
  #visits: number;
  #exchange: FakeExchange | null = null;
  #id = '';
  #hasProblem = false;
  value: unknown;

  /** @param first the process to which it comes first */
  constructor(server: LiveProcesses, form: 'sse' | 'socket', first: number) {
    this.#server = server;
    this.#form = form;
    this.#visits = first;
  }

  get isFollowing(): boolean {
    return this.#exchange !== null && this.#exchange.owner !== null;
  }

  get hasProblem(): boolean {
    return this.#hasProblem;
  }

  toggle(): void {
    if (this.#exchange === null) {
      const target = this.#id === '' ? '/things' : `/things?live-from=${this.#id}`;
      this.#exchange = stageOf(this.#server, this.#visits++)[this.#form](target);
      this.#hasProblem = false;
    } else this.leave();
  }

  leave(): void {
    this.read();
    if (this.#exchange?.owner === null) this.#exchange.abandon();
    this.#exchange?.owner?.closed();
    this.#exchange = null;
  }

  stall(): void {
    if (this.#exchange !== null) this.#exchange.channel.isFull = true;
  }

  drain(): void {
    if (this.#exchange === null) return;
    this.#exchange.channel.isFull = false;
    this.#exchange.owner?.drained();
  }

  /** Folds what has arrived; comes back if it was refused. */
  read(): void {
    const exchange = this.#exchange;
    if (exchange === null || exchange.status === 0) return;
    if (exchange.owner === null) {
      this.#exchange = null;
      return;
    }
    for (const told of exchange.told()) this.#fold(told);
  }

  #fold({ kind, id, data }: Told): void {
    this.#hasProblem = kind === 'problem';
    if (kind === 'problem') return;
    this.#id = id;
    this.value = kind === 'patch' ? applyPatch(this.value, data, LIMITS) : data;
  }
}

/** A client that asks again and again for what it does not have. */
class Poller {
  readonly #server: LiveProcesses;
  readonly #accept: string;
  #visits = 0;
  #poll: FakeExchange | null = null;
  #tag: string | null = null;
  value: unknown;

  constructor(server: LiveProcesses, accept: string) {
    this.#server = server;
    this.#accept = accept;
  }

  read(): void {
    if (this.#poll !== null && this.#poll.status !== 0) {
      const { status, headers, body } = this.#poll;
      if (status === 200) {
        const data = JSON.parse(body);
        const isPatch = headers['content-type'] === 'application/json-patch+json';
        this.value = isPatch ? applyPatch(this.value, data, LIMITS) : data;
        this.#tag = String(headers.etag);
      }
      this.#poll = null;
    }
    this.#poll ??= stageOf(this.#server, this.#visits++).poll(this.#tag, { accept: this.#accept });
  }

  leave(): void {
    this.#poll?.abandon();
    this.#poll = null;
  }
}

function stageOf({ stages }: LiveProcesses, visit: number): LiveStage {
  return stages[visit % stages.length];
}

type Step =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'again' | 'unmodified' | 'busy' | 'nonsense' | 'gone' | 'restart' }
  | { readonly kind: 'toggle' | 'stall' | 'drain' | 'read'; readonly who: number };

const FOLLOWERS = 4;

const value: fc.Arbitrary<Json> = fc.oneof(
  // Few of them, so that values return.
  {
    weight: 4,
    arbitrary: fc.dictionary(
      fc.constantFrom('a', 'b', '/~'),
      fc.oneof(fc.integer({ min: 0, max: 2 }), fc.array(fc.nat(3), { maxLength: 4 })),
      {
        maxKeys: 3,
        noNullPrototype: true,
      },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Json>(null, 0, 'text\n', [1, 2], { a: { b: [1] } }, { a: 'x'.repeat(2000) }),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: value.map((one): Step => ({ kind: 'value', value: one })) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom<'again' | 'unmodified' | 'busy' | 'nonsense' | 'gone' | 'restart'>(
        'again',
        'unmodified',
        'busy',
        'nonsense',
        'gone',
        'restart',
      )
      .map((kind): Step => ({ kind })),
  },
  {
    weight: 10,
    arbitrary: fc
      .tuple(
        fc.constantFrom<'toggle' | 'stall' | 'drain' | 'read'>('toggle', 'stall', 'drain', 'read'),
        fc.nat(FOLLOWERS - 1),
      )
      .map(([kind, who]): Step => ({ kind, who })),
  },
);

/** Plays the steps, then lets everybody come and read until nothing moves. */
function play(steps: readonly Step[], mode: 'patch' | 'value', workers: number): void {
  const limits = { liveVersionsMax: 4, liveIdleMs: 3000, pollWaitMsMax: 5000, liveBackoffMsMax: 2000 };
  const server = new LiveProcesses(workers, { mode, everyMs: INTERVAL_MS }, limits);
  const stage = server.owner;
  let current: Json = { begin: 0 };
  let answer: 'value' | 'busy' | 'nonsense' | 'gone' = 'value';
  let tag = 0;
  stage.origin.script = ({ request }) => {
    const known = request.headers.find(([name]) => name === 'if-none-match')?.[1];
    if (answer === 'busy') stage.origin.answer('', {}, 503);
    else if (answer === 'gone') stage.origin.answer('', {}, 404);
    else if (answer === 'nonsense') stage.origin.answer('<html>');
    else if (known === `"${tag}"`) stage.origin.unmodified();
    else stage.origin.answer(JSON.stringify(current), { etag: `"${tag}"` });
  };
  const followers = Array.from(
    { length: FOLLOWERS },
    (_, i) => new Follower(server, i % 2 === 0 ? 'sse' : 'socket', i >> 1),
  );
  const pollers = ['application/json', 'application/json-patch+json'].map(
    (accept) => new Poller(server, accept),
  );
  const everybody = [...followers, ...pollers];

  for (const one of steps) {
    // Only what was read before has been delivered, so that news meet whatever clients do.
    if ('who' in one) followers[one.who][one.kind]();
    else if (one.kind === 'value') {
      current = one.value;
      answer = 'value';
      tag++;
    } else if (one.kind === 'busy' || one.kind === 'nonsense' || one.kind === 'gone') answer = one.kind;
    else if (one.kind === 'again') tag++;
    else if (one.kind === 'restart') for (const who of everybody) who.leave();
    if (!('who' in one)) stage.clock.advance(INTERVAL_MS);
    if (!('who' in one) || one.kind === 'read') server.deliver();
    for (const poller of pollers) poller.read();
  }

  answer = 'value';
  for (const follower of followers) if (!follower.isFollowing) follower.toggle();
  for (let round = 0; round < 5; round++) {
    server.advance(2 * INTERVAL_MS);
    for (const follower of followers) {
      follower.drain();
      follower.read();
      if (!follower.isFollowing) follower.toggle();
    }
    for (const poller of pollers) poller.read();
  }
  for (const who of everybody) assert.deepEqual(who.value, current);
  for (const follower of followers) assert.equal(follower.hasProblem, false);
  for (const who of everybody) who.leave();
  server.deliver();
  for (const one of server.stages) assert.equal(one.subscribers(), 0);
  const asked = stage.origin.asked.length;
  server.advance(100 * INTERVAL_MS);
  assert.equal(stage.origin.asked.length, asked);
  for (const one of server.stages) assert.equal(one.read('tidegate_live_resources{}'), 0);
}

describe('Whoever follows a value of a live route', () => {
  for (const mode of ['patch', 'value'] as const) {
    for (const workers of [0, 2]) {
      it(`ends with the origin's last value, however it came, stalled, left and came back (${mode}, ${workers} workers)`, () => {
        fc.assert(
          fc.property(fc.array(step, { maxLength: 60 }), (steps) => play(steps, mode, workers)),
          { numRuns: 300 },
        );
      });
    }
  }
});
