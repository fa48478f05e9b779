import {
  type Line,
  lineJson,
  noMetrics,
  readLineJson,
  resolveLimits,
  silentLogger,
  systemClock,
} from '../../src/kernel/index.ts';
import { FollowerLog, type Topic } from '../../src/log/index.ts';
import { lineToOwner } from '../../src/workers/index.ts';
import { readAll, type SeenRecord } from './log-fixture.ts';

/** What a test asks of the process that follows its log. */
export type FollowerQuestion =
  | { readonly about: 'follow'; readonly folder: string }
  /** What it has been told of so far, read as it was told. */
  | { readonly about: 'heard'; readonly topic: string }
  /** What can be read now. */
  | {
      readonly about: 'read';
      readonly topic: string;
      readonly partition: number;
      readonly key?: string;
      readonly from?: number;
    }
  | { readonly about: 'last'; readonly topic: string; readonly count: number; readonly key?: string }
  | { readonly about: 'topics' }
  /** How much memory the first batch of a topic keeps, and how long it is. */
  | { readonly about: 'kept'; readonly topic: string }
  /** Answered once the follower has reached what the owner had told by then, with the end of the topic. */
  | { readonly about: 'reach'; readonly topic: string }
  /** What the log tells or answers from now on arrives only after `listen`. */
  | { readonly about: 'deafen' }
  | { readonly about: 'listen' };

export interface FollowerReading {
  readonly start: number;
  readonly end: number;
  readonly records: readonly SeenRecord[];
  readonly damaged: number;
}

/** Follows the log of the test that started it, over a pipe, and answers what it sees of it. */
const limits = resolveLimits();
const line = lineToOwner(
  systemClock,
  (error) => {
    throw error;
  },
  1 << 26,
);
const heard = new Map<string, string[]>();
let log: FollowerLog;
let isDeaf = false;
let unheard: (() => void)[] = [];
line.onClosed(() => process.exit());

/** Lets what came be taken, in its order, or holds it back. */
function hear(take: () => void): void {
  if (isDeaf) unheard.push(take);
  else take();
}

/** The line as the log has it: what comes on it can be held back. */
const logLine: Line = {
  peer: 0,
  tell: (subject, message) => line.tell(subject, message),
  ask: (subject, question, done) =>
    line.ask(subject, question, (error, answer) => hear(() => done(error, answer))),
  onAsked: (subject, take) => line.onAsked(subject, take),
  onClosed: (listener) => line.onClosed(listener),
  onTold: (subject, take) => line.onTold(subject, (message) => hear(() => take(message))),
};

function listen(): void {
  const seen = new Map<string, number>();
  log.onTail((topic: Topic, partition, end) => {
    const place = `${topic.id}/${partition}`;
    const from = seen.get(place) ?? 0;
    const { records } = readAll(log, topic.name, partition, { from });
    const list = heard.get(topic.name) ?? [];
    heard.set(topic.name, list);
    for (const { data } of records) list.push(String(data));
    seen.set(place, end);
  });
}

function reading({ topic, partition, ...options }: FollowerQuestion & { about: 'read' }): FollowerReading {
  const { start, end } = log.bounds(topic, partition);
  const { records, damaged } = readAll(log, topic, partition, options);
  return { start, end, records, damaged: damaged.length };
}

async function answerTo(question: FollowerQuestion): Promise<unknown> {
  switch (question.about) {
    case 'follow':
      log = await FollowerLog.follow({
        folder: question.folder,
        line: logLine,
        logger: silentLogger,
        metrics: noMetrics,
        limits,
      });
      listen();
      return null;
    case 'heard':
      return heard.get(question.topic) ?? [];
    case 'read':
      return reading(question);
    case 'last':
      return log.offsetOfLast(question.topic, 0, question.count, question.key);
    case 'kept': {
      const { bytes } = log.read({ topic: question.topic, partition: 0, from: 0, bytesMax: 1 }).batches[0];
      return { bytes: bytes.length, kept: bytes.buffer.byteLength };
    }
    case 'reach':
      return new Promise((resolve) => log.reach(() => resolve(log.bounds(question.topic, 0).end)));
    case 'deafen':
      isDeaf = true;
      return null;
    case 'listen':
      isDeaf = false;
      for (const take of unheard) take();
      unheard = [];
      return null;
    case 'topics':
      return [...log.topics.values()];
  }
}

line.onAsked('life', (bytes, answer) => {
  answerTo(readLineJson<FollowerQuestion>(bytes)).then(
    (result) => answer(lineJson(result)),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
