import { hasWildcard, type Presence } from '../../channels/index.ts';
import { type Random, randomId } from '../../kernel/index.ts';
import type { ListPresent } from './port.ts';

/** The name in the meta of a connection under which its origin says whose it is. */
export const USER_META = 'user';

const CLIENT_CHARACTERS = 24;

/** What it takes to be present. */
export interface PresenceTerms {
  /** Null where nobody is listed. */
  readonly present: ListPresent | null;
  readonly random: Random;
  /** What the origin calls the connection; null to have an id made for it. */
  readonly client: string | null;
}

/** A connection that GRIP holds, present in its channels as the user that its origin named. Those without a user have none, and cost nothing. */
export class PresentUser {
  readonly #list: ListPresent;
  readonly #who: Presence;
  /** What ends each presence, by channel. */
  readonly #ends = new Map<string, () => void>();
  #isHere = true;

  constructor(list: ListPresent, who: Presence) {
    this.#list = list;
    this.#who = who;
  }

  get who(): Presence {
    return this.#who;
  }

  /** Does nothing with a pattern, in which nobody is present, nor with a channel that it is in. */
  join(channel: string): void {
    if (this.#isHere && !this.#ends.has(channel) && !hasWildcard(channel))
      this.#ends.set(channel, this.#list(channel, this.#who));
  }

  part(channel: string): void {
    this.#ends.get(channel)?.();
    this.#ends.delete(channel);
  }

  /** Is in these channels from now on, and in no others. Of one that goes on nobody hears anything. */
  follow(channels: Iterable<string>): void {
    const wanted = new Set(channels);
    for (const channel of [...this.#ends.keys()]) if (!wanted.has(channel)) this.part(channel);
    for (const channel of wanted) this.join(channel);
  }

  /** Is nowhere any more, for good. */
  leave(): void {
    this.#isHere = false;
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
  }
}

/**
 * Who a connection is by its meta. Another user than before takes the same client id, after the one before has left.
 * @param before who it was; null for nobody
 * @returns `before` if it is the same user, null for nobody in particular
 */
export function presentUser(
  meta: ReadonlyMap<string, string>,
  before: PresentUser | null,
  { present, random, client }: PresenceTerms,
): PresentUser | null {
  const user = meta.get(USER_META) ?? '';
  if (before !== null) {
    if (before.who.user === user) return before;
    before.leave();
  }
  if (present === null || user === '') return null;
  const id = before?.who.client ?? client ?? randomId(random, CLIENT_CHARACTERS);
  return new PresentUser(present, { user, client: id });
}
