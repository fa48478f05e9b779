import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { type Allow, Grants } from '../../src/access/grants.ts';
import { GuardedChannels } from '../../src/access/guarded-channels.ts';
import { GrantedIdentity } from '../../src/access/identity.ts';
import type { AccessEnd } from '../../src/access/index.ts';
import type { Channels, PublishCallback, PublishedEvent, PublishReceipt } from '../../src/channels/index.ts';
import { TidegateError } from '../../src/kernel/index.ts';

/** What reached the channels behind. */
let published: { readonly events: readonly PublishedEvent[]; readonly done: PublishCallback }[];
let standing: 'good' | AccessEnd;
beforeEach(() => {
  published = [];
  standing = 'good';
});

const behind: Channels = {
  publish(events, _protocol, done) {
    published.push({ events, done });
    done(events.map(({ channel }) => ({ channel, id: '', cursor: '', duplicate: false })));
  },
  subscribe: () => assert.fail('nobody subscribes'),
  reach: (_channels, _footing, ready) => ready(),
  drain() {},
};

const guarded = (name: string): GuardedChannels =>
  new GuardedChannels(
    behind,
    new GrantedIdentity({ credential: 'key', name, grants: new Grants({ 'news/#': ['publish'] }) }),
    { standing: () => standing, hold: () => () => {} },
  );

const event = (channel: string, others: Partial<PublishedEvent> = {}): PublishedEvent => ({
  channel,
  data: null,
  dataKind: 'text',
  attributes: [],
  clientId: null,
  identitySource: '',
  ...others,
});

/** The channels that were published to, or the codes of the refusals. */
function publish(channels: Channels, events: readonly PublishedEvent[]): readonly string[] {
  let told: readonly (PublishReceipt | TidegateError)[] = [];
  channels.publish(events, 'http', (outcomes) => {
    told = outcomes;
  });
  return told.map((outcome) => (outcome instanceof TidegateError ? outcome.code : outcome.channel));
}

test('what is allowed and lacks nothing is passed on as it is, with the callback itself', () => {
  const events = [event('news/1'), event('news/2', { clientId: 'a', identitySource: '/s' })];
  const done: PublishCallback = () => {};
  guarded('key:a').publish(events, 'http', done);
  assert.equal(published[0].events, events);
  assert.equal(published[0].done, done);
});

test('the credential stands in for a source that an event with an id lacks', () => {
  const events = [event('news/1', { clientId: 'a' }), event('news/2')];
  assert.deepEqual(publish(guarded('key:a'), events), ['news/1', 'news/2']);
  assert.deepEqual(
    published[0].events.map(({ identitySource }) => identitySource),
    [' key:a', ''],
  );
  assert.equal(events[0].identitySource, '');
  publish(guarded(''), events);
  assert.equal(published[1].events, events);
});

test('of several events, those that are not allowed are refused, each in its place', () => {
  const events = [event('other'), event('news/1'), event('else'), event('news/2')];
  assert.deepEqual(publish(guarded('key:a'), events), ['access_denied', 'news/1', 'access_denied', 'news/2']);
  assert.deepEqual(published[0].events, [events[1], events[3]]);
  assert.deepEqual(publish(guarded('key:a'), [event('other')]), ['access_denied']);
  assert.equal(published.length, 1);
});

test('with a credential that has ended nothing is passed on', () => {
  standing = 'expired';
  assert.deepEqual(publish(guarded('key:a'), [event('news/1'), event('news/2')]), [
    'token_expired',
    'token_expired',
  ]);
  standing = 'revoked';
  assert.deepEqual(publish(guarded('key:a'), [event('news/1')]), ['credential_revoked']);
  assert.deepEqual(published, []);
});

test('who purges is named if the permission is there, under whichever pattern, and refused for what is wrong otherwise', () => {
  const purger = (credential: 'key' | 'none', allow: Allow): GuardedChannels =>
    new GuardedChannels(
      behind,
      new GrantedIdentity({
        credential,
        name: credential === 'none' ? '' : 'key:a',
        grants: new Grants(allow),
      }),
      { standing: () => standing, hold: () => () => {} },
    );
  const mayPurge: Allow = { 'news/#': ['publish'], other: ['purge'] };
  assert.equal(purger('key', mayPurge).purgeAs(), 'key:a');
  assert.throws(() => guarded('key:a').purgeAs(), { code: 'access_denied' });
  assert.throws(() => purger('key', { '#': ['admin', 'publish'] }).purgeAs(), { code: 'access_denied' });
  assert.throws(() => purger('none', {}).purgeAs(), { code: 'credential_missing' });
  assert.equal(purger('none', mayPurge).purgeAs(), '');
  standing = 'revoked';
  assert.throws(() => purger('key', mayPurge).purgeAs(), { code: 'credential_revoked' });
  standing = 'expired';
  assert.throws(() => purger('key', mayPurge).purgeAs(), { code: 'token_expired' });
});
