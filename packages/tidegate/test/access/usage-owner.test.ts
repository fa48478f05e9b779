import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  readAdmitted,
  readGranted,
  readNews,
  readQuestion,
  readWait,
  type UsageNews,
  type UsageQuestion,
  writeAdmitted,
  writeGranted,
  writeNews,
  writeQuestion,
  writeWait,
} from '../../src/access/usage-messages.ts';
import { UsageOwner } from '../../src/access/usage-owner.ts';
import { linePair } from '../support/line-pair.ts';

test('what is said about usages is understood at the other end', () => {
  const news: UsageNews[] = [
    { kind: 'open', id: 7, name: 'key:ä', limits: { connectionsMax: 3 } },
    { kind: 'close', id: 7 },
    { kind: 'release', id: 7, connections: 1, subscriptions: 300 },
  ];
  assert.deepEqual(news.map(writeNews).map(readNews), news);
  const questions: UsageQuestion[] = [
    { kind: 'hold', id: 1, times: 3, connections: 1, subscriptions: 2 },
    { kind: 'publish', id: 1, count: 10_000 },
    { kind: 'spent', id: 4_000_000_000, bytes: 2 ** 40 },
  ];
  assert.deepEqual(questions.map(writeQuestion).map(readQuestion), questions);
  for (const short of [null, 'connections', 'subscriptions'] as const)
    assert.deepEqual(readAdmitted(writeAdmitted({ times: 2, short })), { times: 2, short });
  assert.deepEqual(readGranted(writeGranted({ count: 5, retryAfterMs: 250 })), {
    count: 5,
    retryAfterMs: 250,
  });
  assert.equal(readWait(writeWait(17)), 17);
});

test('a worker says which usages nobody needs any more', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const pair = linePair();
  const told: UsageNews[] = [];
  pair.owner.onTold('usage', (message) => told.push(readNews(message)));
  const usages = new UsageOwner(pair.worker);
  const open = (name: string): object => usages.open(name, {}, (owner) => ({ owner }));
  const kept = open('kept');
  open('forgotten');
  while (!told.some(({ kind }) => kind === 'close')) {
    await new Promise(setImmediate);
    collectGarbage();
    pair.deliver();
  }
  assert.deepEqual(
    told.map(({ kind, id }) => [kind, id]),
    [
      ['open', 1],
      ['open', 2],
      ['close', 2],
    ],
  );
  assert.notEqual(kept, undefined);
});
