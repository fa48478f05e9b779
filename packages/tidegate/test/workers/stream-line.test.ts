import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { type Duplex, duplexPair } from 'node:stream';
import { test } from 'node:test';
import { systemClock, TidegateError } from '../../src/kernel/index.ts';
import { StreamLine } from '../../src/workers/index.ts';

/** Both ends of a line over a pipe within this process. */
interface TestLines {
  readonly owner: StreamLine;
  readonly worker: StreamLine;
  /** The worker's end. */
  readonly pipe: Duplex;
  /** What went wrong with what either end said. */
  readonly failures: unknown[];
}

function lines(unsentBytesMax = 1 << 20): TestLines {
  const [a, b] = duplexPair();
  const failures: unknown[] = [];
  const failed = (error: unknown): void => void failures.push(error);
  const common = { clock: systemClock, sends: 'soon', unsentBytesMax, failed } as const;
  return {
    owner: new StreamLine({ ...common, stream: a, peer: 1 }),
    worker: new StreamLine({ ...common, stream: b, peer: 0 }),
    pipe: b,
    failures,
  };
}

const ask = (line: StreamLine, question: string): Promise<string> =>
  new Promise((resolve, reject) => {
    line.ask('publish', Buffer.from(question), (error, answer) => {
      if (error === null) resolve(answer.toString());
      else reject(error);
    });
  });

test('what is told and asked arrives in the order of the calls, whatever its subject', async () => {
  const { owner, worker } = lines();
  const seen: string[] = [];
  owner.onTold('presence', (message) => seen.push(`told ${message}`));
  owner.onAsked('publish', (question, answer) => {
    seen.push(`asked ${question}`);
    answer(Buffer.from(`${question}!`));
  });
  worker.tell('presence', Buffer.from('1'));
  const first = ask(worker, '2');
  worker.tell('presence', Buffer.from('3'));
  const second = ask(worker, '4');
  assert.deepEqual(await Promise.all([first, second]), ['2!', '4!']);
  assert.deepEqual(seen, ['told 1', 'asked 2', 'told 3', 'asked 4']);
  owner.close();
});

test('answers may come later and in another order, and find their questions', async () => {
  const { owner, worker } = lines();
  const open: [string, (answer: Uint8Array) => void][] = [];
  owner.onAsked('publish', (question, answer) => open.push([String(question), answer]));
  const both = Promise.all([ask(worker, 'a'), ask(worker, 'b')]);
  while (open.length < 2) await new Promise(setImmediate);
  for (const [question, answer] of open.reverse()) answer(Buffer.from(`of ${question}`));
  assert.deepEqual(await both, ['of a', 'of b']);
  owner.close();
});

test('an error is answered with its code, its detail and when to try again', async () => {
  const { owner, worker } = lines();
  owner.onAsked('publish', (_question, answer) =>
    answer(new TidegateError('rate_exceeded', '5 messages', { retryAfterMs: 250 })),
  );
  await assert.rejects(ask(worker, ''), {
    code: 'rate_exceeded',
    detail: '5 messages',
    retryAfterMs: 250,
  });
  owner.close();
});

test('a question about what the other end knows nothing of is refused', async () => {
  const { owner, worker } = lines();
  await assert.rejects(ask(worker, ''), { code: 'worker_unavailable' });
  owner.close();
});

test('what an answerer throws is the answer, and is told if nobody meant it', async () => {
  const { owner, worker, failures } = lines();
  const thrown = [new TidegateError('quota_exceeded', 'by 5'), new RangeError('out of range')];
  let asked = 0;
  owner.onAsked('publish', (question, answer) => {
    const error = thrown[asked++];
    if (error !== undefined) throw error;
    answer(question);
  });
  await assert.rejects(ask(worker, ''), { code: 'quota_exceeded', detail: 'by 5' });
  assert.deepEqual(failures, []);
  await assert.rejects(ask(worker, ''), { code: 'internal', detail: '' });
  assert.deepEqual(
    failures.map((error) => (error as TidegateError).cause),
    [thrown[1]],
  );
  assert.equal(await ask(worker, 'still there'), 'still there');
  owner.close();
});

test('what goes wrong with anything else that is said is told, and ends the line', async () => {
  const mistakes: Record<string, (both: TestLines) => void> = {
    'a taker that throws': ({ owner, worker }) => {
      owner.onTold('presence', () => {
        throw new Error('as it was told to');
      });
      worker.tell('presence', Buffer.from('x'));
    },
    'what is done with an answer': ({ owner, worker }) => {
      worker.onAsked('publish', (question, answer) => answer(question));
      owner.ask('publish', Buffer.from('x'), (error) => {
        assert.equal(error, null);
        throw new Error('as it was told to');
      });
    },
    'bytes that are no frame': ({ pipe }) => {
      pipe.write(Buffer.alloc(64, 0xff).fill(0, 0, 4));
    },
  };
  for (const [name, make] of Object.entries(mistakes)) {
    const both = lines();
    make(both);
    await new Promise<void>((resolve) => both.owner.onClosed(resolve));
    assert.equal(both.failures.length, 1, name);
    await assert.rejects(ask(both.owner, 'late'), { code: 'worker_unavailable' });
  }
});

test('when the other end goes, open questions are answered before the end is told, and later ones at once', async () => {
  const { owner, worker, pipe } = lines();
  const events: string[] = [];
  owner.onAsked('publish', () => {});
  worker.ask('publish', Buffer.from('open'), (error) => events.push(String(error?.code)));
  worker.onClosed(() => events.push('closed'));
  pipe.destroy();
  await new Promise(setImmediate);
  assert.deepEqual(events, ['worker_unavailable', 'closed']);
  await assert.rejects(ask(worker, 'late'), { code: 'worker_unavailable' });
  worker.tell('presence', Buffer.from('into the void'));
});

test('a line is given up when the other end leaves more unread than workerUnsentBytesMax', async () => {
  const [a, b] = duplexPair();
  // Nobody reads this end.
  b.pause();
  const line = new StreamLine({
    stream: a,
    peer: 1,
    clock: systemClock,
    sends: 'soon',
    unsentBytesMax: 200_000,
    failed: assert.ifError,
  });
  let closed = false;
  line.onClosed(() => {
    closed = true;
  });
  for (let i = 0; i < 64 && !closed; i++) {
    line.tell('log', Buffer.alloc(10_000));
    await new Promise(setImmediate);
  }
  assert.ok(closed);
  assert.equal(line.closeReason, 'unread');
});

test('a line that is closed says why', async () => {
  const { owner, worker } = lines();
  assert.equal(owner.closeReason, null);
  owner.close();
  assert.equal(owner.closeReason, 'closed');
  while (worker.closeReason === null) await new Promise(setImmediate);
  assert.equal(worker.closeReason, 'gone');
});
