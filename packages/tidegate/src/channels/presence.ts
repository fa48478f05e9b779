import type { ByteReader, ByteWriter, TidegateError } from '../kernel/index.ts';

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

/** Whether a member is in the list, and whether listeners are told that it joins and leaves. */
export type PresenceVisibility = 'listed_and_told' | 'listed' | 'told';

/** How many memberships the connections of one process have, and in how many channels. */
export interface PresenceCounts {
  readonly members: number;
  readonly channels: number;
}

/** Told who joins and leaves one channel, itself included. */
export interface PresenceListener<Member extends Presence> {
  joined(channel: string, member: Member): void;
  left(channel: string, member: Member): void;
}

/** How many are in each of some channels. */
export type ChannelList = Iterable<readonly [channel: string, clients: number]>;

/** How members are written on a line between processes. What `read` returns keeps nothing of the bytes that it was read from. */
export interface PresenceForm<Member extends Presence> {
  write(member: Member, out: ByteWriter): void;
  read(reader: ByteReader): Member;
}

/**
 * Who is in which channel, over all processes of the server. There is one list, which the owner of the log holds; workers ask for it.
 * Where the list is held everything happens during the call. Elsewhere what is asked is answered later, as of when the list was
 * asked, with everything that this process had said before; questions fail as `Line.ask` does.
 */
export interface PresenceList<Member extends Presence = Presence> {
  /** All memberships over all channels where the list is held, and 0 elsewhere: the sum over the processes is right. */
  readonly size: number;
  /** Joins since the start that were beyond limits.presenceMembersMax, counted in the same way. */
  readonly overflow: number;
  /** What the connections of this process alone come to. */
  counts(): PresenceCounts;
  /**
   * Lists a member, who takes the place of an earlier one of the same client, and tells the channel's listeners in all processes.
   * @param visibility which of the two is done; by default both
   * @returns what ends it; further calls do nothing
   */
  join(channel: string, member: Member, visibility?: PresenceVisibility): () => void;
  /** Tells a listener of everybody who joins and leaves from now on, each once. Returns what ends it. */
  listen(channel: string, listener: PresenceListener<Member>): () => void;
  /** The members of a channel, in the order of joining; `too_many` if there are more than `membersMax`. */
  members(
    channel: string,
    membersMax: number,
    done: (outcome: readonly Member[] | 'too_many' | TidegateError) => void,
  ): void;
  stats(channel: string, done: (outcome: PresenceStats | TidegateError) => void): void;
  /** How many are in each channel that anybody is in; `too_many` if the list would be longer than `bytesMax`, with 8 bytes beside the name of each. */
  channels(bytesMax: number, done: (outcome: ChannelList | 'too_many' | TidegateError) => void): void;
}
