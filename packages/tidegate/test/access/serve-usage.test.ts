import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { limitHits } from '../../src/access/limit-hits.ts';
import type { LocalUsage } from '../../src/access/local-usage.ts';
import { serveUsage } from '../../src/access/serve-usage.ts';
import {
  type Admitted,
  readAdmitted,
  type UsageNews,
  type UsageQuestion,
  writeNews,
  writeQuestion,
} from '../../src/access/usage-messages.ts';
import { countedHere, Usages } from '../../src/access/usages.ts';
import { noMetrics, type TidegateError } from '../../src/kernel/index.ts';
import { type LinePair, linePair } from '../support/line-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';

const LIMITS = { connectionsMax: 2, subscriptionsMax: 4 };
const SHARE = { connections: 1, subscriptions: 2 };

let usages: Usages<LocalUsage>;
let line: LinePair;
beforeEach(() => {
  usages = new Usages(countedHere(new ManualClock(), limitHits(noMetrics)), null);
  line = linePair();
  serveUsage(line.owner, usages);
});

function tell(...news: readonly UsageNews[]): void {
  for (const one of news) line.worker.tell('usage', writeNews(one));
  line.deliver();
}

function ask(question: UsageQuestion): Admitted | TidegateError {
  const answers: (Admitted | TidegateError)[] = [];
  line.worker.ask('usage', writeQuestion(question), (error, answer) =>
    answers.push(error ?? readAdmitted(answer)),
  );
  line.deliver();
  assert.equal(answers.length, 1);
  return answers[0];
}

test('what a worker holds of a usage that it closes is free again', () => {
  const usage = usages.named('key:a', LIMITS);
  tell({ kind: 'open', id: 1, name: 'key:a', limits: LIMITS });
  assert.deepEqual(ask({ kind: 'hold', id: 1, times: 3, ...SHARE }), { times: 2, short: 'connections' });
  tell({ kind: 'release', id: 1, ...SHARE });
  assert.equal(usage.tryHold({ connections: 2, subscriptions: 0 }), 'connections');
  tell({ kind: 'close', id: 1 });
  assert.equal(usage.tryHold({ connections: 2, subscriptions: 4 }), null);
  // Its end changes nothing about what it does not hold any more.
  line.close();
  assert.equal(usage.tryHold({ connections: 1, subscriptions: 0 }), 'connections');
});

test('a question about a usage that was never opened is answered with an error', () => {
  const outcome = ask({ kind: 'hold', id: 7, times: 1, ...SHARE });
  assert.ok('code' in outcome);
  assert.equal(outcome.code, 'internal');
  assert.match(outcome.message, /Worker 1 has no usage 7/);
});
