import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Channels, SubscribeRequest } from '../../../src/channels/index.ts';
import { TidegateError } from '../../../src/kernel/index.ts';
import { clock, eachTestHasAHub, hub, send } from '../../support/hub-fixture.ts';
import { publishItem, SessionStage } from './session-stage.ts';

eachTestHasAHub();

/** The channels of a process that hears of things later than others. */
class LateChannels implements Channels {
  readonly footings: unknown[] = [];
  refusal: TidegateError | null = null;
  #waiting: (() => void)[] = [];

  reach: Channels['reach'] = (_channels, footing, ready) => {
    this.footings.push(footing());
    this.#waiting.push(ready);
  };

  subscribe(request: SubscribeRequest): ReturnType<Channels['subscribe']> {
    if (this.refusal !== null) throw this.refusal;
    return hub.subscribe(request);
  }

  publish: Channels['publish'] = (...offered) => hub.publish(...offered);

  drain(): void {}

  /** It has heard of everything. */
  async hear(): Promise<void> {
    for (const ready of this.#waiting.splice(0)) ready();
    await clock.settle();
  }
}

describe('A process that hears of what is published later than the origin', () => {
  it('looks for the id that the client has once it has heard of everything', async () => {
    const channels = new LateChannels();
    const stage = new SessionStage({ channels });
    await stage.subscribe('news', { 'prev-id': '1' });
    for (const id of ['1', '2']) await publishItem('news', `n${id}`, { id });
    assert.deepEqual([stage.frames(), channels.footings], [[], ['everything']]);
    await channels.hear();
    assert.deepEqual(stage.frames(), ['text n2']);
  });

  it('begins behind a position once it has heard of that', async () => {
    const channels = new LateChannels();
    const stage = new SessionStage({ channels });
    const [{ cursor }] = await send('news', 'n1');
    await send('news', 'n2');
    await stage.subscribe('news', { from: cursor });
    assert.deepEqual([stage.frames(), channels.footings], [[], [{ kind: 'cursor', cursor }]]);
    await channels.hear();
    assert.deepEqual(stage.frames(), ['text n2']);
  });

  it('waits for nothing where nothing is looked for', async () => {
    const stage = new SessionStage({ channels: new LateChannels() });
    await stage.subscribe('news');
    await send('news', 'n1');
    assert.deepEqual(stage.frames(), ['text n1']);
  });

  it('begins nothing that was given up meanwhile', async () => {
    const channels = new LateChannels();
    const stage = new SessionStage({ channels });
    const [{ cursor }] = await send('news', 'n1');
    await send('news', 'n2');
    await stage.subscribe('news', { from: cursor });
    await stage.subscribe('other', { 'prev-id': '1' });
    await stage.control({ type: 'unsubscribe', channel: 'news' }, { type: 'unsubscribe', channel: 'other' });
    await channels.hear();
    assert.deepEqual(stage.frames(), []);
    assert.equal(hub.count('news'), 0);
  });

  it('begins at the same place with other filters that it is given meanwhile', async () => {
    for (const others of [{ 'prev-id': '1' }, { from: '-1' }]) {
      const channels = new LateChannels();
      const stage = new SessionStage({ channels });
      await publishItem('news', 'n1', { id: '1' });
      await publishItem('news', 'n2', { id: '2' });
      await stage.subscribe('news', others);
      await stage.subscribe('news', { filters: ['skip-self'] });
      await channels.hear();
      assert.deepEqual(stage.frames(), ['text n2'], JSON.stringify(others));
    }
  });

  it('closes the connection if it cannot subscribe by then', async () => {
    for (const others of [{ 'prev-id': '1' }, { from: '-1' }]) {
      const channels = new LateChannels();
      const stage = new SessionStage({ channels });
      await stage.subscribe('news', others);
      channels.refusal = new TidegateError('draining');
      await channels.hear();
      assert.deepEqual(stage.frames(), ['close 1011 '], JSON.stringify(others));
    }
  });
});
