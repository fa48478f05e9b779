import assert from 'node:assert/strict';
import type {
  ChannelList,
  Presence,
  PresenceForm,
  PresenceList,
  PresenceStats,
} from '../../src/channels/index.ts';
import { TidegateError } from '../../src/kernel/index.ts';

export const alice: Presence = { client: 'a1', user: 'alice' };
export const aliceAgain: Presence = { client: 'a2', user: 'alice' };
export const bob: Presence = { client: 'b1', user: 'bob' };

export const PRESENCE_FORM: PresenceForm<Presence> = {
  write({ client, user }, out) {
    out.text(client);
    out.text(user);
  },
  read: (reader) => ({ client: reader.text(), user: reader.text() }),
};

/** A listener that keeps what it is told. */
export class Heard {
  readonly told: string[] = [];
  joined(channel: string, { client }: Presence): void {
    this.told.push(`${client} joined ${channel}`);
  }
  left(channel: string, { client }: Presence): void {
    this.told.push(`${client} left ${channel}`);
  }
}

/** What a list answers, once what is under way has arrived. */
export function answered<Value>(
  ask: (done: (outcome: Value | TidegateError) => void) => void,
  settle: () => void = () => {},
): Value {
  const outcomes: (Value | TidegateError)[] = [];
  ask((outcome) => outcomes.push(outcome));
  settle();
  assert.equal(outcomes.length, 1);
  const [outcome] = outcomes;
  if (outcome instanceof TidegateError) throw outcome;
  return outcome;
}

export function membersOf<Member extends Presence>(
  list: PresenceList<Member>,
  channel: string,
  settle?: () => void,
): readonly Member[] {
  const members = answered<readonly Member[] | 'too_many'>(
    (done) => list.members(channel, 1000, done),
    settle,
  );
  if (members === 'too_many') throw new Error('too many');
  return members;
}

export function statsOf(list: PresenceList, channel: string, settle?: () => void): PresenceStats {
  return answered<PresenceStats>((done) => list.stats(channel, done), settle);
}

export function channelsOf(list: PresenceList, settle?: () => void): readonly (readonly [string, number])[] {
  const channels = answered<ChannelList | 'too_many'>((done) => list.channels(1_000_000, done), settle);
  if (channels === 'too_many') throw new Error('too many');
  return [...channels];
}
