import type { Limits } from '../kernel/index.ts';
import type {
  ChannelList,
  Presence,
  PresenceCounts,
  PresenceList,
  PresenceListener,
  PresenceStats,
  PresenceVisibility,
} from './presence.ts';
import { channelEntryBytes } from './presence-messages.ts';

/** Whose connection a member is: of this process, or of another one. */
export type PresenceOrigin = 'here' | 'elsewhere';

interface Room<Member extends Presence> {
  /** By client. */
  readonly members: Map<string, Member>;
  /** How many of them are connections of other processes. */
  elsewhere: number;
  /** How many users they are of; null until somebody asks after they have changed. Counting takes time in proportion to them. */
  users: number | null;
  /** Null while nobody listens, which is the rule. */
  listeners: Set<PresenceListener<Member>> | null;
}

const nothing = (): void => {};

/**
 * The list of who is in which channel, in the memory of the process that holds it. A channel that nobody is in and nobody listens to
 * costs nothing. Past limits.presenceMembersMax memberships, newcomers are not listed and nobody is told of them; `overflow` counts them.
 */
export class PresenceRegistry<Member extends Presence = Presence> implements PresenceList<Member> {
  readonly #rooms = new Map<string, Room<Member>>();
  readonly #membersMax: number;
  #members = 0;
  #elsewhere = 0;
  overflow = 0;

  constructor(limits: Limits) {
    this.#membersMax = limits.presenceMembersMax;
  }

  get size(): number {
    return this.#members;
  }

  counts(): PresenceCounts {
    let channels = 0;
    for (const { members, elsewhere } of this.#rooms.values()) if (members.size > elsewhere) channels++;
    return { members: this.#members - this.#elsewhere, channels };
  }

  /** @param origin the same for all memberships of a client */
  join(
    channel: string,
    member: Member,
    visibility: PresenceVisibility = 'listed_and_told',
    origin: PresenceOrigin = 'here',
  ): () => void {
    if (visibility === 'told') return this.#pass(channel, member);
    const room = this.#roomOf(channel);
    if (!room.members.has(member.client)) {
      if (this.#members >= this.#membersMax) {
        this.overflow++;
        this.#dismissIfEmpty(channel, room);
        return nothing;
      }
      this.#count(room, origin, 1);
    }
    room.members.set(member.client, member);
    room.users = null;
    const isTold = visibility === 'listed_and_told';
    if (isTold) tellJoined(room, channel, member);
    return () => {
      // Somebody else may have taken its place.
      if (room.members.get(member.client) !== member) return;
      room.members.delete(member.client);
      room.users = null;
      this.#count(room, origin, -1);
      if (isTold) tellLeft(room, channel, member);
      this.#dismissIfEmpty(channel, room);
    };
  }

  members(
    channel: string,
    membersMax: number,
    done: (outcome: readonly Member[] | 'too_many') => void,
  ): void {
    const members = this.#rooms.get(channel)?.members;
    if (members === undefined) done([]);
    else done(members.size > membersMax ? 'too_many' : [...members.values()]);
  }

  stats(channel: string, done: (stats: PresenceStats) => void): void {
    const room = this.#rooms.get(channel);
    if (room === undefined) {
      done({ clients: 0, users: 0 });
      return;
    }
    room.users ??= usersOf(room.members.values());
    done({ clients: room.members.size, users: room.users });
  }

  channels(bytesMax: number, done: (outcome: ChannelList | 'too_many') => void): void {
    let bytes = 0;
    for (const [channel] of this.#clientsByChannel()) {
      bytes += channelEntryBytes(channel);
      if (bytes <= bytesMax) continue;
      done('too_many');
      return;
    }
    done(this.#clientsByChannel());
  }

  listen(channel: string, listener: PresenceListener<Member>): () => void {
    const room = this.#roomOf(channel);
    room.listeners ??= new Set();
    room.listeners.add(listener);
    return () => {
      if (room.listeners?.delete(listener) !== true) return;
      if (room.listeners.size === 0) room.listeners = null;
      this.#dismissIfEmpty(channel, room);
    };
  }

  *#clientsByChannel(): ChannelList {
    for (const [channel, { members }] of this.#rooms) if (members.size > 0) yield [channel, members.size];
  }

  #count(room: Room<Member>, origin: PresenceOrigin, change: 1 | -1): void {
    this.#members += change;
    if (origin === 'here') return;
    this.#elsewhere += change;
    room.elsewhere += change;
  }

  #roomOf(channel: string): Room<Member> {
    let room = this.#rooms.get(channel);
    if (room === undefined) {
      room = { members: new Map(), elsewhere: 0, users: null, listeners: null };
      this.#rooms.set(channel, room);
    }
    return room;
  }

  /** Tells of a member that is not listed. */
  #pass(channel: string, member: Member): () => void {
    tellJoined(this.#rooms.get(channel), channel, member);
    let isIn = true;
    return () => {
      if (isIn) tellLeft(this.#rooms.get(channel), channel, member);
      isIn = false;
    };
  }

  #dismissIfEmpty(channel: string, room: Room<Member>): void {
    if (room.members.size === 0 && room.listeners === null && this.#rooms.get(channel) === room) {
      this.#rooms.delete(channel);
    }
  }
}

function usersOf(members: Iterable<Presence>): number {
  const users = new Set<string>();
  for (const { user } of members) users.add(user);
  return users.size;
}

function tellJoined<Member extends Presence>(
  room: Room<Member> | undefined,
  channel: string,
  member: Member,
): void {
  if (room?.listeners) for (const listener of [...room.listeners]) listener.joined(channel, member);
}

function tellLeft<Member extends Presence>(
  room: Room<Member> | undefined,
  channel: string,
  member: Member,
): void {
  if (room?.listeners) for (const listener of [...room.listeners]) listener.left(channel, member);
}
