import {
  ByteReader,
  ByteWriter,
  type Limits,
  type Line,
  type LineAnswer,
  type TidegateError,
} from '../kernel/index.ts';
import type {
  ChannelList,
  Presence,
  PresenceCounts,
  PresenceForm,
  PresenceList,
  PresenceListener,
  PresenceStats,
  PresenceVisibility,
} from './presence.ts';
import {
  CHANNELS,
  JOIN,
  JOINED,
  LEAVE,
  LISTEN,
  MEMBERS,
  STATS,
  TOO_MANY,
  UNLISTEN,
  VISIBILITIES,
} from './presence-messages.ts';
import { SharedQuestions } from './shared-questions.ts';

/** The listeners of a channel, each with how many messages this process had told before it listened. */
type Listeners<Member extends Presence> = Map<PresenceListener<Member>, number>;

/**
 * The list of who is in which channel, for a worker: the owner of the log holds it, and runs `servePresence` at the other end of the line.
 * Also its own listeners hear of its own members from there, so that everybody hears everything in the same order. A listener hears of
 * what the owner does after it has read all that was told before the listener came, and of nothing earlier that is still on its way.
 */
export class RemotePresence<Member extends Presence = Presence> implements PresenceList<Member> {
  readonly size = 0;
  readonly overflow = 0;
  readonly #line: Line;
  readonly #form: PresenceForm<Member>;
  readonly #out = new ByteWriter(256, 4096);
  readonly #member = new ByteWriter(256, 4096);
  readonly #memberLists: SharedQuestions<readonly Member[] | 'too_many'>;
  readonly #channelLists: SharedQuestions<ChannelList | 'too_many'>;
  readonly #listeners = new Map<string, Listeners<Member>>();
  /** How many members of this process are in each channel. */
  readonly #own = new Map<string, number>();
  #ownMembers = 0;
  #joins = 0;
  /** How many messages were told so far. */
  #told = 0;

  constructor(line: Line, form: PresenceForm<Member>, { presenceListsAskedMax }: Limits) {
    this.#line = line;
    this.#form = form;
    const lists = {
      ask: (question: Uint8Array, done: LineAnswer) => line.ask('presence', question, done),
      underWayMax: presenceListsAskedMax,
    };
    this.#memberLists = new SharedQuestions({ ...lists, read: (answer) => readMembers(answer, form) });
    this.#channelLists = new SharedQuestions({ ...lists, read: readChannels });
    line.onTold('presence', (message) => this.#take(new ByteReader(message)));
  }

  counts(): PresenceCounts {
    return { members: this.#ownMembers, channels: this.#own.size };
  }

  join(channel: string, member: Member, visibility: PresenceVisibility = 'listed_and_told'): () => void {
    const number = ++this.#joins;
    const out = this.#out;
    out.byte(JOIN);
    out.byte(VISIBILITIES.indexOf(visibility));
    out.float64(number);
    this.#form.write(member, this.#member);
    out.blob(this.#member.peek());
    this.#member.truncate(0);
    out.text(channel);
    this.#tell();
    const isCounted = visibility !== 'told';
    if (isCounted) this.#count(channel, 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      out.byte(LEAVE);
      out.float64(number);
      this.#tell();
      if (isCounted) this.#count(channel, -1);
    };
  }

  listen(channel: string, listener: PresenceListener<Member>): () => void {
    let listeners = this.#listeners.get(channel);
    if (listeners === undefined) {
      listeners = new Map();
      this.#listeners.set(channel, listeners);
      this.#tellOf(LISTEN, channel);
    }
    const mine = listeners;
    mine.set(listener, this.#told);
    return () => {
      if (!mine.delete(listener) || mine.size > 0) return;
      this.#listeners.delete(channel);
      this.#tellOf(UNLISTEN, channel);
    };
  }

  members(
    channel: string,
    membersMax: number,
    done: (outcome: readonly Member[] | 'too_many' | TidegateError) => void,
  ): void {
    this.#out.byte(MEMBERS);
    this.#out.uint32(membersMax);
    this.#out.text(channel);
    this.#memberLists.ask(this.#out.take(), done);
  }

  stats(channel: string, done: (outcome: PresenceStats | TidegateError) => void): void {
    this.#out.byte(STATS);
    this.#out.text(channel);
    this.#line.ask('presence', this.#out.take(), (error, answer) =>
      done(error ?? readStats(new ByteReader(answer))),
    );
  }

  channels(bytesMax: number, done: (outcome: ChannelList | 'too_many' | TidegateError) => void): void {
    this.#out.byte(CHANNELS);
    this.#out.float64(bytesMax);
    this.#channelLists.ask(this.#out.take(), done);
  }

  #count(channel: string, change: 1 | -1): void {
    this.#ownMembers += change;
    const count = (this.#own.get(channel) ?? 0) + change;
    if (count === 0) this.#own.delete(channel);
    else this.#own.set(channel, count);
  }

  /** Tells what was written. */
  #tell(): void {
    this.#told++;
    this.#line.tell('presence', this.#out.take());
  }

  #tellOf(kind: typeof LISTEN | typeof UNLISTEN, channel: string): void {
    this.#out.byte(kind);
    this.#out.text(channel);
    this.#tell();
  }

  #take(message: ByteReader): void {
    const kind = message.byte();
    const heardBefore = message.float64();
    const member = message.blob();
    const channel = message.text();
    const listeners = this.#listeners.get(channel);
    if (listeners === undefined) return;
    const told = this.#form.read(new ByteReader(member));
    for (const [listener, since] of [...listeners]) {
      if (heardBefore < since) continue;
      if (kind === JOINED) listener.joined(channel, told);
      else listener.left(channel, told);
    }
  }
}

function readMembers<Member extends Presence>(
  answer: ByteReader,
  form: PresenceForm<Member>,
): readonly Member[] | 'too_many' {
  if (answer.byte() === TOO_MANY) return 'too_many';
  const members: Member[] = [];
  while (!answer.isAtEnd) members.push(form.read(new ByteReader(answer.blob())));
  return members;
}

function readChannels(answer: ByteReader): ChannelList | 'too_many' {
  if (answer.byte() === TOO_MANY) return 'too_many';
  const channels: (readonly [string, number])[] = [];
  while (!answer.isAtEnd) channels.push([answer.text(), answer.uint32()]);
  return channels;
}

function readStats(answer: ByteReader): PresenceStats {
  return { clients: answer.uint32(), users: answer.uint32() };
}
