import { PERMISSIONS, type Permission } from './port.ts';

/** Patterns, each with what is allowed there, as a person writes it. */
export type Allow = Readonly<Record<string, readonly Permission[]>>;

const ONE_SEGMENT = '+';
const ALL_SEGMENTS = '#';

/**
 * Whether every channel that `asked` means is meant by `held` too. Both may be channel names or patterns; a wildcard that is asked for
 * is covered by nothing but a wildcard at least as wide, so that asking never widens what is held: `a/+` does not cover `a/#`.
 */
export function covers(held: string, asked: string): boolean {
  const heldSegments = held.split('/');
  const askedSegments = asked.split('/');
  for (let i = 0; i < heldSegments.length; i++) {
    const segment = heldSegments[i];
    if (segment === ALL_SEGMENTS && i === heldSegments.length - 1) return true;
    if (i >= askedSegments.length) return false;
    const wanted = askedSegments[i];
    // A final # may stand for no segment or for several, which one segment does not cover.
    if (wanted === ALL_SEGMENTS && i === askedSegments.length - 1) return false;
    if (segment !== ONE_SEGMENT && segment !== wanted) return false;
  }
  return heldSegments.length === askedSegments.length;
}

const BIT: Readonly<Record<Permission, number>> = Object.freeze(
  Object.fromEntries(PERMISSIONS.map((permission, index) => [permission, 1 << index])) as Record<
    Permission,
    number
  >,
);

/** Longer names belong to no channel (limits.channelBytesMax is less, in bytes). They come from clients, and are not remembered. */
const CHANNEL_CHARS_MAX = 1500;
/** How many channels a set of grants remembers having decided on. */
const DECISIONS_MAX = 256;

/** What somebody may do where. Immutable. */
export class Grants {
  /** Whoever runs a server for themselves may do everything. */
  static readonly all: Grants = new Grants({ [ALL_SEGMENTS]: PERMISSIONS });
  static readonly none: Grants = new Grants({});

  readonly #patterns: readonly string[];
  readonly #bits: readonly number[];
  /** The bits that hold for a channel or pattern, for those that were asked about lately; made when first needed. */
  #decided: Map<string, number> | null = null;

  constructor(allow: Allow) {
    this.#patterns = Object.keys(allow);
    this.#bits = this.#patterns.map((pattern) =>
      allow[pattern].reduce((bits, permission) => bits | BIT[permission], 0),
    );
  }

  allows(permission: Permission, channel: string): boolean {
    return (this.#bitsFor(permission, channel) & BIT[permission]) !== 0;
  }

  #bitsFor(permission: Permission, channel: string): number {
    // These are about the server: under which pattern they are allowed makes no difference.
    if (permission === 'admin' || permission === 'purge')
      return this.#bits.reduce((all, bits) => all | bits, 0);
    if (channel.length > CHANNEL_CHARS_MAX) return 0;
    const known = this.#decided?.get(channel);
    if (known !== undefined) return known;
    let bits = 0;
    for (let i = 0; i < this.#patterns.length; i++) {
      if (covers(this.#patterns[i], channel)) bits |= this.#bits[i];
    }
    this.#decided ??= new Map();
    if (this.#decided.size >= DECISIONS_MAX) this.#decided.clear();
    this.#decided.set(channel, bits);
    return bits;
  }
}

/**
 * The same patterns with `{user}` replaced. A user whose name is a wildcard or has a segment separator gets nothing from the patterns
 * that name it, since they would mean more than this user's channels.
 */
export function forUser(allow: Allow, user: string): Allow {
  const isPlain = user !== '' && !user.includes('/') && user !== ONE_SEGMENT && user !== ALL_SEGMENTS;
  const entries = Object.entries(allow).flatMap(([pattern, permissions]) => {
    if (!pattern.includes(USER)) return [[pattern, permissions] as const];
    return isPlain ? [[pattern.replaceAll(USER, () => user), permissions] as const] : [];
  });
  return Object.fromEntries(entries);
}

const USER = '{user}';

/** Reads an `allow` that somebody else wrote, such as a token's; null if it is not one. */
export function readAllow(value: unknown): Allow | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  for (const permissions of Object.values(value)) {
    if (!Array.isArray(permissions)) return null;
    if (!permissions.every((permission) => (PERMISSIONS as readonly unknown[]).includes(permission)))
      return null;
  }
  return value as Allow;
}
