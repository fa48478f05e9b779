import type { Buffer } from 'node:buffer';
import { ByteReader, ByteWriter, EMPTY, type Line } from '../kernel/index.ts';
import type { Presence, PresenceForm, PresenceListener } from './presence.ts';
import {
  CHANNELS,
  JOIN,
  JOINED,
  LEAVE,
  LEFT,
  LISTED,
  LISTEN,
  MEMBERS,
  STATS,
  TOO_MANY,
  UNLISTEN,
  VISIBILITIES,
} from './presence-messages.ts';
import type { PresenceRegistry } from './presence-registry.ts';

/**
 * Lets the worker at the other end of a line use the list, by a `RemotePresence`. When the line closes, its members leave.
 * To be called for each line when it comes, by the process that holds the list.
 */
export function servePresence<Member extends Presence>(
  line: Line,
  registry: PresenceRegistry<Member>,
  form: PresenceForm<Member>,
): void {
  new ServedLine(line, registry, form).serve();
}

/** One worker, as the list sees it. */
class ServedLine<Member extends Presence> implements PresenceListener<Member> {
  readonly #line: Line;
  readonly #registry: PresenceRegistry<Member>;
  readonly #form: PresenceForm<Member>;
  readonly #out = new ByteWriter(256, 4096);
  readonly #member = new ByteWriter(256, 4096);
  /** What ends the memberships and the listening of the worker. */
  readonly #leaves = new Map<number, () => void>();
  readonly #unlistens = new Map<string, () => void>();
  /** How many messages of the worker have been carried out. */
  #heard = 0;
  /** The last member that was read, and its bytes: a client that joins many channels mostly joins one after another. */
  #lastBytes: Buffer = EMPTY;
  #lastMember: Member | null = null;
  #isClosed = false;

  constructor(line: Line, registry: PresenceRegistry<Member>, form: PresenceForm<Member>) {
    this.#line = line;
    this.#registry = registry;
    this.#form = form;
  }

  serve(): void {
    this.#line.onTold('presence', (message) => this.#take(new ByteReader(message)));
    this.#line.onAsked('presence', (question, answer) => this.#answer(new ByteReader(question), answer));
    this.#line.onClosed(() => this.#close());
  }

  // --- The list's side. ---

  joined(channel: string, member: Member): void {
    this.#tell(JOINED, channel, member);
  }

  left(channel: string, member: Member): void {
    this.#tell(LEFT, channel, member);
  }

  #tell(kind: typeof JOINED | typeof LEFT, channel: string, member: Member): void {
    const out = this.#out;
    out.byte(kind);
    out.float64(this.#heard);
    this.#writeMember(member);
    out.text(channel);
    this.#line.tell('presence', out.take());
  }

  #writeMember(member: Member): void {
    this.#form.write(member, this.#member);
    this.#out.blob(this.#member.peek());
    this.#member.truncate(0);
  }

  // --- The line's side. ---

  #take(message: ByteReader): void {
    // What the worker said last may be read after its death is known.
    if (this.#isClosed) return;
    this.#carryOut(message);
    this.#heard++;
  }

  #carryOut(message: ByteReader): void {
    const kind = message.byte();
    if (kind === JOIN) {
      const visibility = VISIBILITIES[message.byte()];
      const number = message.float64();
      const member = this.#readMember(message.blob());
      const channel = message.text();
      this.#leaves.set(number, this.#registry.join(channel, member, visibility, 'elsewhere'));
    } else if (kind === LEAVE) {
      const number = message.float64();
      this.#leaves.get(number)?.();
      this.#leaves.delete(number);
    } else if (kind === LISTEN) {
      const channel = message.text();
      this.#unlistens.set(channel, this.#registry.listen(channel, this));
    } else if (kind === UNLISTEN) {
      const channel = message.text();
      this.#unlistens.get(channel)?.();
      this.#unlistens.delete(channel);
    }
  }

  #readMember(bytes: Buffer): Member {
    if (this.#lastMember === null || !bytes.equals(this.#lastBytes)) {
      this.#lastBytes = bytes;
      this.#lastMember = this.#form.read(new ByteReader(bytes));
    }
    // What it holds is shared; the object itself stands for one membership.
    return { ...this.#lastMember };
  }

  #answer(question: ByteReader, answer: (answer: Uint8Array) => void): void {
    const out = this.#out;
    const kind = question.byte();
    if (kind === MEMBERS) {
      const membersMax = question.uint32();
      this.#registry.members(question.text(), membersMax, (members) => {
        out.byte(members === 'too_many' ? TOO_MANY : LISTED);
        if (members !== 'too_many') for (const member of members) this.#writeMember(member);
      });
    } else if (kind === STATS) {
      this.#registry.stats(question.text(), ({ clients, users }) => {
        out.uint32(clients);
        out.uint32(users);
      });
    } else if (kind === CHANNELS) {
      this.#registry.channels(question.float64(), (channels) => {
        out.byte(channels === 'too_many' ? TOO_MANY : LISTED);
        if (channels === 'too_many') return;
        for (const [channel, clients] of channels) {
          out.text(channel);
          out.uint32(clients);
        }
      });
    }
    answer(out.take());
  }

  #close(): void {
    this.#isClosed = true;
    // First the listening: there is nobody to tell that its own members leave.
    for (const unlisten of this.#unlistens.values()) unlisten();
    this.#unlistens.clear();
    for (const leave of this.#leaves.values()) leave();
    this.#leaves.clear();
  }
}
