import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { eventsOf } from '../../../src/gateway/grip/item-events.ts';
import { clock, eachTestHasAHub, hub, log, send } from '../../support/hub-fixture.ts';
import { publish, topicSpec } from '../../support/test-hub.ts';
import { item } from '../grip/items.ts';
import { publishItem, SessionStage } from './session-stage.ts';

eachTestHasAHub({ limits: { memoryPartitionBytesMax: 1024 * 1024 } });

describe('The channels of a GRIP WebSocket', () => {
  it('bring what is published, while they are subscribed to', async () => {
    const stage = new SessionStage();
    await publishItem('news', 'before');
    await stage.subscribe('news');
    await publishItem('news', 'hello');
    await publishItem('other', 'not meant');
    await stage.control({ type: 'unsubscribe', channel: 'news' }, { type: 'unsubscribe', channel: 'news' });
    await publishItem('news', 'after');
    assert.deepEqual(stage.frames(), ['text hello']);
  });

  it('bring all types of messages', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news');
    await publishItem('news', { 'content-bin': Buffer.from([0, 255]).toString('base64') });
    await publishItem('news', { content: 'a', type: 'binary' });
    await publishItem('news', { content: 'p', type: 'ping' });
    await publishItem('news', { type: 'pong' });
    assert.deepEqual(stage.frames(), ['binary 00ff', 'binary 61', 'ping 70', 'pong ']);
  });

  it('bring the data of what is published without formats, as text if they are text, and nothing without data', async () => {
    const stage = new SessionStage();
    await stage.subscribe('orders/1');
    await send('orders/1', 'plain');
    const data = Buffer.from([0xff]);
    const plain = { channel: 'orders/1', attributes: [], clientId: null, identitySource: '' } as const;
    const done = publish(
      hub,
      { ...plain, data, dataKind: 'binary' },
      { ...plain, data: null, dataKind: 'binary' },
    );
    await clock.settle();
    await done;
    assert.deepEqual(stage.frames(), ['text plain', 'binary ff']);
  });

  it('bring nothing of what has formats that cannot be read', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news');
    const done = publish(hub, {
      channel: 'news',
      data: Buffer.from('data'),
      dataKind: 'text',
      attributes: [],
      clientId: null,
      identitySource: '',
      renderings: 'nonsense',
    });
    await clock.settle();
    await done;
    assert.deepEqual(stage.frames(), []);
  });

  it('bring nothing of what its publisher has written for other transports only', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news');
    await publishItem('news', 'x', { formats: { 'http-stream': { content: 'data: x\n\n' } } });
    await publishItem('news', 'x', { formats: { 'http-stream': { action: 'close' } } });
    await publishItem('news', { action: 'hint' });
    assert.deepEqual(stage.frames(), []);
    assert.equal(stage.transport.state, 'open');
  });

  it('close the connection with the code and reason that are published', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news');
    await publishItem('news', { action: 'close', code: 4005, reason: 'over' });
    assert.deepEqual(stage.frames(), ['close 4005 over']);
    const other = new SessionStage();
    await other.subscribe('news');
    await publishItem('news', { action: 'close', code: 0 });
    assert.deepEqual(other.frames(), ['close 1000 ']);
    const third = new SessionStage();
    await third.subscribe('news');
    await publishItem('news', { action: 'close' });
    assert.deepEqual(third.frames(), ['close 1000 ']);
  });

  it('have the origin asked when a refresh is published', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news');
    await publishItem('news', { action: 'refresh' });
    assert.deepEqual(stage.origin.told, ['refresh']);
  });

  it('have the prefix of the route before the name that the origin gives', async () => {
    const stage = new SessionStage({ channelPrefix: 'app-' });
    await stage.subscribe('news');
    await publishItem('news', 'not meant');
    await publishItem('app-news', 'hello');
    await stage.control({ type: 'unsubscribe', channel: 'news' });
    await publishItem('app-news', 'after');
    assert.deepEqual(stage.frames(), ['text hello']);
  });

  it('may be patterns', async () => {
    const stage = new SessionStage();
    await stage.subscribe('orders/+');
    await publishItem('orders/1', 'one');
    await publishItem('orders/2', 'two');
    assert.deepEqual(stage.frames(), ['text one', 'text two']);
  });

  it('end the connection if they cannot be subscribed to', async () => {
    for (const channel of ['_resources', 'a\u0000b']) {
      const stage = new SessionStage();
      await stage.subscribe(channel);
      const isRead = stage.counts.control_errors === undefined;
      assert.deepEqual(stage.frames().length, isRead ? 1 : 0);
      if (isRead) assert.deepEqual(stage.origin.told, ['disconnect']);
    }
    const stage = new SessionStage();
    await stage.subscribe('news', { from: 'yesterday' });
    assert.deepEqual(stage.frames(), ['close 1011 position_invalid']);
  });

  it('end the connection if they are more than the limit', async () => {
    const stage = new SessionStage({ limits: { gripChannelsMax: 2 } });
    await stage.subscribe('a');
    await stage.subscribe('b');
    await stage.subscribe('a');
    assert.deepEqual(stage.frames(), []);
    await stage.subscribe('c');
    assert.deepEqual(stage.frames(), ['close 1011 grip_instruct_invalid']);
  });

  it('end the connection if what they lost cannot be told', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news', { from: 'default~otherEpoch123~0~5' });
    assert.deepEqual(stage.frames(), ['close 4410 gap in news']);
  });

  it('go on where they are stored otherwise by then', async () => {
    const stage = new SessionStage();
    await stage.subscribe('fresh/1');
    await publishItem('news', 'not meant');
    await clock.run(log.createTopic(topicSpec('fresh')));
    await clock.settle();
    await publishItem('fresh/1', 'hello');
    assert.deepEqual(stage.frames(), ['text hello']);
    assert.equal(stage.transport.state, 'open');
  });

  it('bring nothing any more once the client is gone, or is to go', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news');
    const other = new SessionStage();
    await other.subscribe('news');
    assert.equal(hub.count('news'), 2);
    other.session.originClosed({ code: 1000, reason: '' });
    assert.equal(hub.count('news'), 1);
    stage.drop();
    assert.equal(hub.count('news'), 0);
    await publishItem('news', 'hello');
    assert.deepEqual(stage.frames(), []);
  });

  it('send no pings to a client that does not keep pace, and count that', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news');
    stage.transport.room = false;
    stage.say('m:much');
    for (let i = 0; i < 3; i++) await publishItem('news', { type: 'ping', content: 'p' });
    assert.deepEqual(stage.frames(), ['text much']);
    assert.equal(stage.counts.skipped_pings, 3);
  });

  it('lose nothing for a client that does not read for a while', async () => {
    const stage = new SessionStage();
    await stage.subscribe('a');
    await stage.subscribe('b');
    stage.transport.room = false;
    for (let i = 0; i < 50; i++) {
      await publishItem('a', `a${i}`);
      await publishItem('b', `b${i}`);
    }
    const before = stage.frames();
    assert.deepEqual([...before].sort(), ['text a0', 'text b0']);
    stage.transport.room = true;
    stage.session.client.drained();
    await clock.settle();
    const after = [...before, ...stage.frames()];
    for (const name of ['a', 'b']) {
      assert.deepEqual(
        after.filter((frame) => frame.startsWith(`text ${name}`)),
        Array.from({ length: 50 }, (_, i) => `text ${name}${i}`),
      );
    }
  });
});

describe('A channel that a client goes on with', () => {
  it('brings first what came after the id that the client has', async () => {
    for (const id of ['1', '2', '3', '4']) await publishItem('news', `n${id}`, { id });
    const stage = new SessionStage();
    await stage.subscribe('news', { 'prev-id': '2' });
    await publishItem('news', 'n5', { id: '5' });
    assert.deepEqual(stage.frames(), ['text n3', 'text n4', 'text n5']);
    assert.equal(stage.counts.resumes, 1);
  });

  it('brings only what is new if the client has everything', async () => {
    for (const id of ['1', '2']) await publishItem('news', `n${id}`, { id });
    const stage = new SessionStage();
    await stage.subscribe('news', { 'prev-id': '2' });
    await publishItem('news', 'n3', { id: '3' });
    assert.deepEqual(stage.frames(), ['text n3']);
  });

  it('brings what comes while the id is being looked for', async () => {
    await publishItem('news', 'n1', { id: '1' });
    const stage = new SessionStage();
    const subscribed = stage.subscribe('news', { 'prev-id': '1' });
    await publishItem('news', 'n2', { id: '2' });
    await subscribed;
    await publishItem('news', 'n3', { id: '3' });
    assert.deepEqual(stage.frames(), ['text n2', 'text n3']);
  });

  it('has nothing that could be missing if it stores nothing', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news', { 'prev-id': '7' });
    await publishItem('news', 'n8', { id: '8' });
    assert.deepEqual(stage.frames(), ['text n8']);
  });

  it('passes over what the client has already, although it is stored only now', async () => {
    for (const filters of [[], ['skip-self']]) {
      const stage = new SessionStage();
      const channel = `news ${filters}`;
      await stage.subscribe(channel, { 'prev-id': '7', filters });
      await publishItem(channel, 'n7', { id: '7', 'prev-id': '6' });
      await publishItem(channel, 'n8', { id: '8', 'prev-id': '7' });
      await publishItem(channel, 'n9', { id: '9', 'prev-id': '8' });
      assert.deepEqual(stage.frames(), ['text n8', 'text n9'], channel);
    }
  });

  it('ends the connection if it stores nothing, and what comes first follows something else than what the client has', async () => {
    const forms = [{}, { formats: { 'http-stream': { content: 'for streams' } } }];
    for (const [index, others] of forms.entries()) {
      const stage = new SessionStage();
      const channel = `news${index}`;
      await stage.subscribe(channel, { 'prev-id': '7' });
      await publishItem(channel, 'n9', { id: '9', 'prev-id': '8', ...others });
      assert.deepEqual(stage.frames(), [`close 4410 gap in ${channel}`]);
      assert.equal(stage.counts.resume_gaps, 1);
    }
  });

  it('ends the connection if it does not know the id, or not any more', async () => {
    for (const id of ['1', '2', '3']) await publishItem('news', `n${id}`, { id });
    const unknown = new SessionStage();
    await unknown.subscribe('news', { 'prev-id': '0' });
    assert.deepEqual(unknown.frames(), ['close 4410 gap in news']);
    assert.equal(unknown.counts.resume_gaps, 1);
    const tooOld = new SessionStage({ limits: { gripRecoveryMessagesMax: 2 } });
    await tooOld.subscribe('news', { 'prev-id': '1' });
    assert.deepEqual(tooOld.frames(), ['close 4410 gap in news']);
    const young = new SessionStage({ limits: { gripRecoveryMessagesMax: 2 } });
    await young.subscribe('news', { 'prev-id': '2' });
    assert.deepEqual(young.frames(), ['text n3']);
  });

  it('begins at a position of ours', async () => {
    for (const id of ['1', '2']) await publishItem('news', `n${id}`, { id });
    const [{ cursor }] = await send('news', 'n3');
    await send('news', 'n4');
    const stage = new SessionStage();
    await stage.subscribe('news', { from: cursor });
    assert.deepEqual(stage.frames(), ['text n4']);
    const last = new SessionStage();
    await last.subscribe('news', { from: '-2' });
    assert.deepEqual(last.frames(), ['text n3', 'text n4']);
  });

  it('is subscribed to once, and goes on where it is if its filters change', async () => {
    const stage = new SessionStage();
    await stage.subscribe('news');
    stage.transport.room = false;
    await publishItem('news', 'a', { id: '1' });
    await publishItem('news', 'b', { id: '2' });
    await stage.subscribe('news');
    await stage.subscribe('news', { filters: ['skip-self'] });
    assert.deepEqual(stage.frames(), ['text a', 'text b']);
    stage.transport.room = true;
    stage.session.client.drained();
    await publishItem('news', 'c', { id: '3' });
    assert.deepEqual(stage.frames(), ['text c']);
  });

  it('is still looked through if its filters change meanwhile', async () => {
    for (const id of ['1', '2']) await publishItem('news', `n${id}`, { id });
    const stage = new SessionStage();
    await stage.control(
      { type: 'subscribe', channel: 'news', 'prev-id': '1' },
      { type: 'subscribe', channel: 'news', filters: ['skip-self'] },
    );
    assert.deepEqual(stage.frames(), ['text n2']);
  });

  it('is let go of while it is being looked through', async () => {
    for (const id of ['1', '2']) await publishItem('news', `n${id}`, { id });
    const stage = new SessionStage();
    await stage.control(
      { type: 'subscribe', channel: 'news', 'prev-id': '1' },
      { type: 'unsubscribe', channel: 'news' },
    );
    assert.deepEqual(stage.frames(), []);
  });
});

describe('The filters of a channel', () => {
  it('leave out what the user published, or is not to see', async () => {
    const stage = new SessionStage();
    await stage.control({ type: 'set-meta', name: 'user', value: 'alice' });
    await stage.subscribe('news', { filters: ['skip-self', 'skip-users', 'unknown'] });
    await publishItem('news', 'own', { meta: { sender: 'alice' } });
    await publishItem('news', 'hidden', { meta: { skip_users: 'bob,alice' } });
    await publishItem('news', 'shown', { meta: { sender: 'bob' } });
    await publishItem('news', { type: 'ping', content: 'own' }, { meta: { sender: 'alice' } });
    await publishItem('news', { type: 'ping', content: 'bob' }, { meta: { sender: 'bob' } });
    assert.deepEqual(stage.frames(), ['text shown', 'ping 626f62']);
    await stage.control({ type: 'set-meta', name: 'user' });
    await publishItem('news', 'now shown', { meta: { sender: 'alice' } });
    assert.deepEqual(stage.frames(), ['text now shown']);
  });

  it('leave out what requires another channel, by the name that the origin knows', async () => {
    const stage = new SessionStage({ channelPrefix: 'app-' });
    await stage.subscribe('news', { filters: ['require-sub'] });
    await publishItem('app-news', 'early', { meta: { require_sub: 'members' } });
    await stage.subscribe('members');
    await publishItem('app-news', 'in time', { meta: { require_sub: 'members' } });
    await stage.control({ type: 'unsubscribe', channel: 'members' });
    await publishItem('app-news', 'late', { meta: { require_sub: 'members' } });
    assert.deepEqual(stage.frames(), ['text in time']);
  });

  it('put what is known of the subscriber into messages, and leave out those that refer to more', async () => {
    const stage = new SessionStage();
    await stage.control({ type: 'set-meta', name: 'nick', value: 'Al' });
    await stage.subscribe('news', { filters: ['var-subst'] });
    await publishItem('news', 'hi %(nick)s');
    await publishItem('news', 'hi %(other)s');
    assert.deepEqual(stage.frames(), ['text hi Al']);
    assert.equal(stage.counts.unresolved, 1);
  });

  it('put the id up to which the client has everything into messages', async () => {
    const stage = new SessionStage();
    await stage.control({ type: 'set-meta', name: 'id_format', value: '%(news)s' });
    await stage.subscribe('news', { filters: ['build-id'] });
    await publishItem('news', 'id %I', { id: '7' });
    assert.deepEqual(stage.frames(), ['text id 7']);
  });

  it('are those that a message was written for, or it is left out and counted', async () => {
    const plain = new SessionStage();
    await plain.subscribe('news');
    const filtered = new SessionStage();
    await filtered.subscribe('news', { filters: ['var-subst'] });
    await publishItem('news', { content: 'a', 'content-filters': ['var-subst'] });
    await publishItem('news', { content: 'b', 'content-filters': [] });
    await publishItem('news', { content: 'c' });
    await publishItem('news', { type: 'ping', content: 'd', 'content-filters': [] });
    assert.deepEqual(plain.frames(), ['text b', 'text c', 'ping 64']);
    assert.deepEqual(filtered.frames(), ['text a', 'text c']);
    assert.equal(plain.counts.filter_mismatches, 1);
    assert.equal(filtered.counts.filter_mismatches, 2);
  });
});

describe('The filters that the origin of a channel answers', () => {
  const ASKS = { filters: ['http-check'] };

  async function subscribed(): Promise<SessionStage> {
    const stage = new SessionStage();
    await stage.control({ type: 'set-meta', name: 'url', value: 'filter?a=b' });
    await stage.subscribe('news', ASKS);
    return stage;
  }

  it('keep from a client what the origin drops, and let the rest through in its order', async () => {
    const stage = await subscribed();
    await publishItem('news', 'one', { id: '1', meta: { sender: 'bob' } });
    await publishItem('news', 'two', { id: '2' });
    await publishItem('news', { type: 'ping', content: 'p' });
    await publishItem('news', { action: 'close', code: 4005, reason: 'over' });
    assert.equal(stage.route.count, 1);
    const { request } = stage.route.last;
    assert.deepEqual([request.method, request.target, request.bodyBytes], ['POST', '/filter?a=b', 0]);
    assert.equal(stage.route.last.field('host'), 'origin.example');
    assert.equal(stage.route.last.field('sub-meta'), '{"url":"filter?a=b"}');
    assert.equal(stage.route.last.field('pub-meta'), '{"sender":"bob"}');
    assert.equal(stage.route.last.field('grip-last'), 'news; last-id=1');
    stage.route.last.answer({ type: null, fields: ['Action', 'drop'] });
    await clock.settle();
    for (const count of [2, 3]) {
      assert.equal(stage.route.count, count);
      assert.equal(stage.transport.state, 'open');
      stage.route.last.answer({ type: null, status: 204 });
      await clock.settle();
    }
    assert.deepEqual(stage.frames(), ['text two', 'ping 70', 'close 4005 over']);
  });

  it('leave out what the origin does not answer for', async () => {
    const stage = await subscribed();
    for (const content of ['one', 'two', 'three']) await publishItem('news', content);
    stage.route.last.answer({ status: 500 });
    await clock.settle();
    stage.route.last.fail('upstream_reset', 'origin');
    await clock.settle();
    stage.route.last.answer({ type: null });
    assert.deepEqual(stage.frames(), ['text three']);
    assert.equal(stage.counts.filter_failures, 2);
    await stage.control({ type: 'set-meta', name: 'url' });
    await publishItem('news', 'four');
    assert.deepEqual(stage.frames(), []);
    assert.deepEqual([stage.counts.filter_failures, stage.route.count], [3, 3]);
    assert.equal(stage.warnings.length, 2);
  });

  it('are asked for until the end also if the filters change, and what comes later waits', async () => {
    const stage = await subscribed();
    const items = ['one', 'two'].map((content) => item({ channel: 'news', 'ws-message': { content } }));
    const done = publish(hub, ...items.flatMap(eventsOf));
    await clock.settle();
    await done;
    await stage.subscribe('news', { filters: ['skip-self'] });
    await publishItem('news', 'three');
    assert.deepEqual(stage.frames(), []);
    stage.route.last.answer({ type: null });
    stage.route.last.answer({ type: null });
    await clock.settle();
    assert.deepEqual(stage.frames(), ['text one', 'text two', 'text three']);
    assert.equal(stage.route.count, 2);
  });

  it('are not asked for any more when the client has left, or the channel is let go of', async () => {
    for (const leave of ['drop', 'unsubscribe'] as const) {
      const stage = await subscribed();
      await publishItem('news', 'one');
      if (leave === 'drop') stage.drop();
      else await stage.control({ type: 'unsubscribe', channel: 'news' });
      assert.equal(stage.route.last.isAborted, true);
      assert.deepEqual(stage.frames(), []);
    }
  });
});
