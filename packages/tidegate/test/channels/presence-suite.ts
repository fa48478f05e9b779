import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChannelList, PresenceList } from '../../src/channels/index.ts';
import { type Limits, resolveLimits } from '../../src/kernel/index.ts';
import { alice, aliceAgain, answered, bob, channelsOf, Heard, membersOf, statsOf } from './presence-lab.ts';

/** A list as one process sees it. */
export interface ListUnderTest {
  readonly list: PresenceList;
  /** Lets what is under way between processes arrive. */
  readonly settle: () => void;
  /** How many joins were not listed. */
  readonly overflow: () => number;
}

/** What every list keeps to, wherever it is held. */
export function presenceSuite(name: string, create: (limits: Limits) => ListUnderTest): void {
  const open = (limits: Partial<Limits> = {}): ListUnderTest => create(resolveLimits(limits));

  describe(name, () => {
    it('lists who is in a channel, and counts clients and users', () => {
      const { list, settle } = open();
      list.join('room', alice);
      list.join('room', aliceAgain);
      list.join('room', bob);
      list.join('hall', bob);
      assert.deepEqual(membersOf(list, 'room', settle), [alice, aliceAgain, bob]);
      assert.deepEqual(statsOf(list, 'room', settle), { clients: 3, users: 2 });
      assert.deepEqual(channelsOf(list, settle), [
        ['room', 3],
        ['hall', 1],
      ]);
      assert.deepEqual(membersOf(list, 'nowhere', settle), []);
      assert.deepEqual(statsOf(list, 'nowhere', settle), { clients: 0, users: 0 });
      assert.deepEqual(list.counts(), { members: 4, channels: 2 });
    });

    it('says that there are too many members instead of listing them', () => {
      const { list, settle } = open();
      list.join('room', alice);
      list.join('room', bob);
      const ask = (membersMax: number): unknown =>
        answered((done) => list.members('room', membersMax, done), settle);
      assert.equal(ask(1), 'too_many');
      assert.deepEqual(ask(2), [alice, bob]);
    });

    it('says that there are too many channels instead of listing them', () => {
      const { list, settle } = open();
      list.join('ä', alice);
      list.join('hall', bob);
      const ask = (bytesMax: number): unknown => {
        const outcome = answered<ChannelList | 'too_many'>((done) => list.channels(bytesMax, done), settle);
        return outcome === 'too_many' ? outcome : [...outcome];
      };
      assert.equal(ask(2 + 4 + 15), 'too_many');
      assert.deepEqual(ask(2 + 4 + 16), [
        ['ä', 1],
        ['hall', 1],
      ]);
    });

    it('forgets who leaves, once, and channels that are empty', () => {
      const { list, settle } = open();
      const leave = list.join('room', alice);
      list.join('room', bob);
      leave();
      leave();
      assert.deepEqual(membersOf(list, 'room', settle), [bob]);
      assert.deepEqual(list.counts(), { members: 1, channels: 1 });
    });

    it('gives the place of a client to its newest membership, which an older one does not end', () => {
      const { list, settle } = open();
      const leaveOld = list.join('room', alice);
      const renewed = { ...alice };
      const leaveNew = list.join('room', renewed);
      assert.deepEqual(statsOf(list, 'room', settle), { clients: 1, users: 1 });
      leaveOld();
      assert.deepEqual(membersOf(list, 'room', settle), [renewed]);
      leaveNew();
      assert.deepEqual(channelsOf(list, settle), []);
      assert.deepEqual(list.counts(), { members: 0, channels: 0 });
    });

    it('tells listeners of a channel who joins and leaves it, and nobody else', () => {
      const { list, settle } = open();
      const heard = new Heard();
      const unlisten = list.listen('room', heard);
      const leave = list.join('room', alice);
      list.join('hall', bob);
      leave();
      settle();
      unlisten();
      unlisten();
      list.join('room', bob);
      settle();
      assert.deepEqual(heard.told, ['a1 joined room', 'a1 left room']);
    });

    it('tells a listener of what comes after it, and of nothing once it has ended', () => {
      const { list, settle } = open();
      const [first, second, third] = [new Heard(), new Heard(), new Heard()];
      list.listen('room', first);
      const leave = list.join('room', alice);
      const unlistenSecond = list.listen('room', second);
      leave();
      list.join('room', bob);
      unlistenSecond();
      list.listen('room', third);
      list.join('room', aliceAgain);
      settle();
      assert.deepEqual(first.told, ['a1 joined room', 'a1 left room', 'b1 joined room', 'a2 joined room']);
      assert.deepEqual(third.told, ['a2 joined room']);
      assert.equal(second.told.includes('a2 joined room'), false);
    });

    it('counts anew after somebody has joined, left, or become another user', () => {
      const { list, settle } = open();
      const leave = list.join('room', alice);
      list.join('room', bob);
      assert.deepEqual(statsOf(list, 'room', settle), { clients: 2, users: 2 });
      leave();
      assert.deepEqual(statsOf(list, 'room', settle), { clients: 1, users: 1 });
      list.join('room', aliceAgain);
      assert.deepEqual(statsOf(list, 'room', settle), { clients: 2, users: 2 });
      list.join('room', { ...bob, user: 'alice' });
      assert.deepEqual(statsOf(list, 'room', settle), { clients: 2, users: 1 });
    });

    it('may list a member without telling, and tell of one without listing it', () => {
      const { list, settle } = open();
      const heard = new Heard();
      list.listen('room', heard);
      const leaveListed = list.join('room', alice, 'listed');
      const leaveTold = list.join('room', bob, 'told');
      assert.deepEqual(membersOf(list, 'room', settle), [alice]);
      assert.deepEqual(list.counts(), { members: 1, channels: 1 });
      leaveListed();
      leaveTold();
      leaveTold();
      assert.deepEqual(membersOf(list, 'room', settle), []);
      assert.deepEqual(list.counts(), { members: 0, channels: 0 });
      assert.deepEqual(heard.told, ['b1 joined room', 'b1 left room']);
      list.join('hall', bob, 'told')();
      assert.deepEqual(channelsOf(list, settle), []);
    });

    it('lists no more memberships than limits.presenceMembersMax, and counts the others', () => {
      const { list, settle, overflow } = open({ presenceMembersMax: 2 });
      const heard = new Heard();
      list.listen('hall', heard);
      const leave = list.join('room', alice);
      list.join('room', bob);
      const leaveUnlisted = list.join('hall', alice);
      assert.deepEqual(membersOf(list, 'hall', settle), []);
      assert.equal(overflow(), 1);
      leaveUnlisted();
      assert.deepEqual(statsOf(list, 'room', settle), { clients: 2, users: 2 });
      leave();
      list.join('hall', alice);
      assert.deepEqual(membersOf(list, 'hall', settle), [alice]);
      assert.deepEqual(heard.told, ['a1 joined hall']);
    });
  });
}
