import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type EventPublisher,
  ForwardedPublisher,
  type PublishCallback,
  type PublishedEvent,
  servePublishes,
} from '../../src/channels/index.ts';
import { noMetrics, resolveLimits, TidegateError } from '../../src/kernel/index.ts';
import { linePair } from '../support/line-pair.ts';

const anyEvent = fc
  .record({
    channel: fc.string({ unit: 'grapheme', maxLength: 40 }),
    data: fc.option(fc.uint8Array({ maxLength: 200 })),
    dataKind: fc.constantFrom('binary', 'text', 'json'),
    attributes: fc.array(
      fc.tuple(fc.string({ maxLength: 10 }), fc.string({ unit: 'grapheme', maxLength: 20 })),
      {
        maxLength: 4,
      },
    ),
    clientId: fc.option(fc.string({ maxLength: 20 })),
    identitySource: fc.string({ maxLength: 20 }),
    renderings: fc.option(fc.string({ unit: 'grapheme', maxLength: 20 })),
    kind: fc.constantFrom('control', null),
  })
  .map(
    ({ renderings, kind, ...event }) =>
      ({
        ...event,
        ...(renderings !== null && { renderings }),
        ...(kind !== null && { kind }),
      }) as PublishedEvent,
  );

const plain = (event: PublishedEvent): unknown => ({
  ...event,
  data: event.data === null ? null : [...event.data],
});

const event = (data: string): PublishedEvent => ({
  channel: 'news',
  data: Buffer.from(data),
  dataKind: 'text',
  attributes: [],
  clientId: null,
  identitySource: '',
});

interface Taken {
  readonly events: readonly PublishedEvent[];
  readonly protocol: string;
  readonly done: PublishCallback;
}

/** A publisher that keeps what it is given, behind a line. */
function forwarded(appendBytesPendingMax = 1 << 20) {
  const taken: Taken[] = [];
  const owner: EventPublisher = {
    publish: (events, protocol, done) => taken.push({ events, protocol, done }),
  };
  const line = linePair();
  servePublishes(line.owner, owner);
  const limits = resolveLimits({ appendBytesPendingMax });
  return { taken, line, publisher: new ForwardedPublisher(line.worker, limits, noMetrics) };
}

test('events arrive as they were published, and so do receipts and refusals', () => {
  fc.assert(
    fc.property(
      fc.array(anyEvent, { minLength: 1, maxLength: 5 }),
      fc.string({ maxLength: 12 }),
      (events, protocol) => {
        const { taken, line, publisher } = forwarded();
        const answers: unknown[] = [];
        publisher.publish(events, protocol, (outcomes) => answers.push(...outcomes));
        line.deliver();
        assert.equal(taken[0].protocol, protocol);
        assert.deepEqual(taken[0].events.map(plain), events.map(plain));
        const outcomes = events.map(({ channel }, index) =>
          index % 3 === 2
            ? new TidegateError('channel_invalid', `the ${index}th`)
            : { channel, id: `id ${index}`, cursor: `c~${index}`, duplicate: index % 2 === 1 },
        );
        taken[0].done(outcomes);
        line.deliver();
        assert.deepEqual(answers, outcomes);
      },
    ),
  );
});

test('an error that says when to try again says so at the other end', () => {
  const { taken, line, publisher } = forwarded();
  let answer: unknown;
  publisher.publish([event('a')], 'http', ([outcome]) => {
    answer = outcome;
  });
  line.deliver();
  taken[0].done([new TidegateError('rate_exceeded', 'slowly', { retryAfterMs: 40 })]);
  line.deliver();
  assert.ok(answer instanceof TidegateError);
  assert.deepEqual([answer.code, answer.detail, answer.retryAfterMs], ['rate_exceeded', 'slowly', 40]);
});

test('publishes of one process reach the owner in the order of the calls', () => {
  const { taken, line, publisher } = forwarded();
  for (const data of ['1', '2', '3']) publisher.publish([event(data)], 'http', () => {});
  line.deliver();
  assert.deepEqual(
    taken.map(({ events }) => String(events[0].data)),
    ['1', '2', '3'],
  );
});

test('while appendBytesPendingMax are under way, further events are refused, and later ones are taken again', () => {
  const { taken, line, publisher } = forwarded(4096);
  const codes: string[] = [];
  const publish = (): void =>
    publisher.publish([event('x'.repeat(3000))], 'http', ([outcome]) =>
      codes.push(outcome instanceof TidegateError ? outcome.code : 'stored'),
    );
  publish();
  publish();
  line.deliver();
  assert.deepEqual(codes, ['log_overloaded']);
  assert.equal(taken.length, 1);
  taken[0].done([{ channel: 'news', id: '1', cursor: 'c', duplicate: false }]);
  line.deliver();
  publish();
  line.deliver();
  assert.equal(taken.length, 2);
});

test('an event that is refused for lack of room is not encoded', () => {
  const { taken, line, publisher } = forwarded(4096);
  let encoded = 0;
  const large: PublishedEvent = {
    ...event('x'.repeat(3000)),
    get identitySource() {
      encoded++;
      return '';
    },
  };
  for (const _ of [1, 2]) publisher.publish([large], 'http', () => {});
  line.deliver();
  assert.deepEqual([encoded, taken.length], [1, 1]);
});

test('if the owner dies, what was not acknowledged is refused so that it is tried again', () => {
  const { line, publisher } = forwarded();
  let answer: unknown;
  publisher.publish([event('a')], 'http', ([outcome]) => {
    answer = outcome;
  });
  line.close();
  assert.ok(answer instanceof TidegateError);
  assert.equal(answer.code, 'worker_unavailable');
});
