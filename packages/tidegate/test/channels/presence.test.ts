import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Presence, PresenceRegistry } from '../../src/channels/index.ts';
import { resolveLimits } from '../../src/kernel/index.ts';

const alice: Presence = { client: 'a1', user: 'alice' };
const aliceAgain: Presence = { client: 'a2', user: 'alice' };
const bob: Presence = { client: 'b1', user: 'bob' };

class Heard {
  readonly told: string[] = [];
  joined(channel: string, { client }: Presence): void {
    this.told.push(`${client} joined ${channel}`);
  }
  left(channel: string, { client }: Presence): void {
    this.told.push(`${client} left ${channel}`);
  }
}

describe('Presence', () => {
  it('lists who is in a channel, and counts clients and users', () => {
    const registry = new PresenceRegistry(resolveLimits());
    registry.join('room', alice);
    registry.join('room', aliceAgain);
    registry.join('room', bob);
    registry.join('hall', bob);
    assert.deepEqual(registry.members('room'), [alice, aliceAgain, bob]);
    assert.deepEqual(registry.stats('room'), { clients: 3, users: 2 });
    assert.deepEqual(
      [...registry.channels()],
      [
        ['room', 3],
        ['hall', 1],
      ],
    );
    assert.deepEqual(registry.members('nowhere'), []);
    assert.deepEqual(registry.stats('nowhere'), { clients: 0, users: 0 });
  });

  it('forgets who leaves, once, and channels that are empty', () => {
    const registry = new PresenceRegistry(resolveLimits());
    const leave = registry.join('room', alice);
    registry.join('room', bob);
    leave();
    leave();
    assert.deepEqual(registry.members('room'), [bob]);
    assert.equal(registry.size, 1);
  });

  it('gives the place of a client to its newest membership, which an older one does not end', () => {
    const registry = new PresenceRegistry(resolveLimits());
    const leaveOld = registry.join('room', alice);
    const renewed = { ...alice };
    const leaveNew = registry.join('room', renewed);
    assert.equal(registry.size, 1);
    leaveOld();
    assert.deepEqual(registry.members('room'), [renewed]);
    leaveNew();
    assert.equal(registry.size, 0);
    assert.deepEqual([...registry.channels()], []);
  });

  it('tells listeners of a channel who joins and leaves it, and nobody else', () => {
    const registry = new PresenceRegistry(resolveLimits());
    const heard = new Heard();
    const unlisten = registry.listen('room', heard);
    const leave = registry.join('room', alice);
    registry.join('hall', bob);
    leave();
    unlisten();
    unlisten();
    registry.join('room', bob);
    assert.deepEqual(heard.told, ['a1 joined room', 'a1 left room']);
  });

  it('lists no more memberships than limits.presenceMembersMax, and counts the others', () => {
    const registry = new PresenceRegistry(resolveLimits({ presenceMembersMax: 2 }));
    const heard = new Heard();
    registry.listen('hall', heard);
    const leave = registry.join('room', alice);
    registry.join('room', bob);
    const leaveUnlisted = registry.join('hall', alice);
    assert.deepEqual(registry.members('hall'), []);
    assert.equal(registry.overflow, 1);
    leaveUnlisted();
    assert.equal(registry.size, 2);
    leave();
    registry.join('hall', alice);
    assert.deepEqual(registry.members('hall'), [alice]);
    assert.deepEqual(heard.told, ['a1 joined hall']);
  });
});
