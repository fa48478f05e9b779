import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { FollowedSnapshot, KEY_KIND, type ResourceStore, serveSnapshot } from '../../src/control/index.ts';
import type { Log } from '../../src/log/index.ts';
import { type LinePair, linePair } from '../support/line-pair.ts';
import { apply, keySpec, memoryLog, openStore, put, remove, specsOf } from './fixture.ts';

let log: Log;
let store: ResourceStore;
beforeEach(async () => {
  log = memoryLog();
  const spec = keySpec(9);
  store = await openStore(log, { declared: [{ kind: KEY_KIND, name: 'declared', spec }] });
});
afterEach(async () => {
  await store.close();
  await log.close();
});

/** Who follows the keys of the store over a line. */
class Follower {
  readonly line: LinePair = linePair();
  /** What was told. */
  readonly told: string[] = [];
  asksForCredentials = false;

  constructor() {
    const { owner } = this.line;
    const tell = owner.tell.bind(owner);
    owner.tell = (subject, message) => {
      this.told.push(message.toString());
      tell(subject, message);
    };
    serveSnapshot(owner, {
      resources: store,
      kinds: [KEY_KIND],
      asksForCredentials: () => this.asksForCredentials,
    });
  }

  async follow(): Promise<FollowedSnapshot> {
    const snapshot = FollowedSnapshot.follow(this.line.worker);
    this.line.deliver();
    return snapshot;
  }
}

const namesOf = (snapshot: FollowedSnapshot): readonly string[] => [...snapshot.of(KEY_KIND).keys()].sort();

test('another process knows all resources once it follows, and hears of every change', async () => {
  await apply(store, put(KEY_KIND, 'one', keySpec(1)), put(KEY_KIND, 'two', keySpec(2)));
  const follower = new Follower();
  const snapshot = await follower.follow();
  assert.deepEqual(new Map(snapshot.of(KEY_KIND)), new Map(specsOf(store, KEY_KIND)));
  assert.deepEqual([...snapshot.of('topic')], []);
  let changes = 0;
  snapshot.onChange(() => {
    changes++;
  });
  const before = snapshot.of(KEY_KIND);
  await apply(store, put(KEY_KIND, 'one', keySpec(11)), put(KEY_KIND, 'three', keySpec(3)));
  await apply(store, remove(KEY_KIND, 'two'));
  follower.line.deliver();
  assert.equal(changes, 2);
  assert.deepEqual(namesOf(snapshot), ['declared', 'one', 'three']);
  assert.deepEqual(new Map(snapshot.of(KEY_KIND)), new Map(specsOf(store, KEY_KIND)));
  // What was handed out before is what it was.
  assert.deepEqual([...before.keys()].sort(), ['declared', 'one', 'two']);
});

test('what is told of a change is what has changed, however much there is', async () => {
  await apply(
    store,
    ...Array.from({ length: 100 }, (_, number) => put(KEY_KIND, `key${number}`, keySpec(number + 10))),
  );
  const follower = new Follower();
  await follower.follow();
  await apply(store, put(KEY_KIND, 'one', keySpec(1)));
  await apply(store, put('topic', 'orders', { durability: 'none' }));
  assert.equal(follower.told.length, 2);
  const [whole, change] = follower.told;
  assert.ok(whole.includes('key42') && change.includes('one'));
  assert.ok(!change.includes('key42') && !change.includes('declared'));
});

test('what the config file says is told, and not what another server stores under its name', async () => {
  const follower = new Follower();
  const snapshot = await follower.follow();
  const other = await openStore(log);
  await apply(other, put(KEY_KIND, 'declared', keySpec(1)));
  await other.close();
  follower.line.deliver();
  assert.equal(follower.told.length, 2);
  assert.deepEqual(new Map(snapshot.of(KEY_KIND)), new Map(specsOf(store, KEY_KIND)));
  assert.equal(snapshot.of(KEY_KIND).get('declared')?.hash, keySpec(9).hash);
});

test('whether the server asks for credentials is told with each change, also of one that comes to nothing', async () => {
  const follower = new Follower();
  const snapshot = await follower.follow();
  assert.equal(snapshot.asksForCredentials, false);
  await apply(store, put(KEY_KIND, 'first', keySpec(1)));
  follower.asksForCredentials = true;
  await apply(store, remove(KEY_KIND, 'first'));
  follower.line.deliver();
  assert.deepEqual(namesOf(snapshot), ['declared']);
  assert.equal(snapshot.asksForCredentials, true);
  // Whoever comes only now finds none of it but that.
  const late = new Follower();
  late.asksForCredentials = true;
  assert.equal((await late.follow()).asksForCredentials, true);
});

test('a line that has closed is told nothing any more', async () => {
  const follower = new Follower();
  await follower.follow();
  follower.line.close();
  await apply(store, put(KEY_KIND, 'one', keySpec(1)));
  assert.equal(follower.told.length, 1);
});
