import type { Limits } from '../kernel/index.ts';

/** Somebody who is in channels: one connection. `client` is unique among all that are present. */
export interface Presence {
  readonly client: string;
  /** Empty if there is none. Several connections may be of one user. */
  readonly user: string;
}

/** How many are in a channel. */
export interface PresenceStats {
  readonly clients: number;
  readonly users: number;
}

/** Told who joins and leaves one channel, itself included. */
export interface PresenceListener<Member extends Presence> {
  joined(channel: string, member: Member): void;
  left(channel: string, member: Member): void;
}

interface Room<Member extends Presence> {
  /** By client. */
  readonly members: Map<string, Member>;
  /** Null while nobody listens, which is the rule. */
  listeners: Set<PresenceListener<Member>> | null;
}

const nothing = (): void => {};

/**
 * Who is in which channel, in the memory of one process. A channel that nobody is in and nobody listens to costs nothing. Past
 * limits.presenceMembersMax memberships, newcomers are not listed and nobody is told of them; `overflow` counts them.
 */
export class PresenceRegistry<Member extends Presence = Presence> {
  readonly #rooms = new Map<string, Room<Member>>();
  readonly #membersMax: number;
  #members = 0;
  /** Joins that were not listed, since the start. */
  overflow = 0;

  constructor(limits: Limits) {
    this.#membersMax = limits.presenceMembersMax;
  }

  /** All memberships, over all channels. */
  get size(): number {
    return this.#members;
  }

  /**
   * Lists a member, who takes the place of an earlier one of the same client, and tells the channel's listeners.
   * @returns what lists it no more; further calls do nothing
   */
  join(channel: string, member: Member): () => void {
    const room = this.#roomOf(channel);
    if (!room.members.has(member.client)) {
      if (this.#members >= this.#membersMax) {
        this.overflow++;
        this.#dismissIfEmpty(channel, room);
        return nothing;
      }
      this.#members++;
    }
    room.members.set(member.client, member);
    if (room.listeners !== null) for (const listener of [...room.listeners]) listener.joined(channel, member);
    return () => this.#leave(channel, room, member);
  }

  /** The members of a channel, in the order of joining. */
  members(channel: string): readonly Member[] {
    const room = this.#rooms.get(channel);
    return room === undefined ? [] : [...room.members.values()];
  }

  stats(channel: string): PresenceStats {
    const room = this.#rooms.get(channel);
    if (room === undefined) return { clients: 0, users: 0 };
    const users = new Set<string>();
    for (const { user } of room.members.values()) users.add(user);
    return { clients: room.members.size, users: users.size };
  }

  /** How many are in each channel that anybody is in. */
  *channels(): Iterable<readonly [channel: string, clients: number]> {
    for (const [channel, { members }] of this.#rooms) if (members.size > 0) yield [channel, members.size];
  }

  /** Tells a listener of everybody who joins and leaves from now on. Returns what ends it. */
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

  #roomOf(channel: string): Room<Member> {
    let room = this.#rooms.get(channel);
    if (room === undefined) {
      room = { members: new Map(), listeners: null };
      this.#rooms.set(channel, room);
    }
    return room;
  }

  #leave(channel: string, room: Room<Member>, member: Member): void {
    // Somebody else may have taken its place.
    if (room.members.get(member.client) !== member) return;
    room.members.delete(member.client);
    this.#members--;
    if (room.listeners !== null) for (const listener of [...room.listeners]) listener.left(channel, member);
    this.#dismissIfEmpty(channel, room);
  }

  #dismissIfEmpty(channel: string, room: Room<Member>): void {
    if (room.members.size === 0 && room.listeners === null && this.#rooms.get(channel) === room) {
      this.#rooms.delete(channel);
    }
  }
}
