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
  | { readonly about: 'read'; readonly topic: string; readonly partition: number; readonly key?: string }
  | { readonly about: 'last'; readonly topic: string; readonly count: number }
  | { readonly about: 'topics' }
  /** What the log tells from now on arrives only after `listen`. */
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

/** The line as the log has it: what is told on it can be held back. */
const logLine: Line = {
  peer: 0,
  tell: (subject, message) => line.tell(subject, message),
  ask: (subject, question, done) => line.ask(subject, question, done),
  onAsked: (subject, take) => line.onAsked(subject, take),
  onClosed: (listener) => line.onClosed(listener),
  onTold: (subject, take) =>
    line.onTold(subject, (message) => {
      if (isDeaf) unheard.push(() => take(message));
      else take(message);
    }),
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

function reading({ topic, partition, key }: FollowerQuestion & { about: 'read' }): FollowerReading {
  const { start, end } = log.bounds(topic, partition);
  const { records, damaged } = readAll(log, topic, partition, key === undefined ? {} : { key });
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
      return log.offsetOfLast(question.topic, 0, question.count);
    case 'deafen':
      isDeaf = true;
      return null;
    case 'listen':
      isDeaf = false;
      for (const hear of unheard) hear();
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
