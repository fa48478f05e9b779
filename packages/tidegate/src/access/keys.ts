import { createHash } from 'node:crypto';
import { parseTimestamp } from '../kernel/index.ts';
import { Grants } from './grants.ts';
import { GrantedIdentity } from './identity.ts';
import type { KeyOptions } from './options.ts';
import type { Identity } from './port.ts';

/** The hash under which a key is kept: `sha256:` and 64 hexadecimal digits. */
export function hashOfKey(key: string): string {
  // Keys are 256 random bits, so that a slow hash would protect nothing and cost every first request.
  return `sha256:${createHash('sha256').update(key, 'utf8').digest('hex')}`;
}

/** The API keys that are good now. Found by their hash, which nobody can steer towards another's. */
export class KeyRing {
  readonly #byHash = new Map<string, GrantedIdentity>();
  readonly #identities = new Set<Identity>();

  readonly #byName = new Map<string, KeptKey>();

  /**
   * @param keys by name
   * @param before the ring that this one replaces: keys that have not changed keep their identities, and with them whatever rests on those
   */
  constructor(keys: ReadonlyMap<string, KeyOptions>, before?: KeyRing) {
    for (const [name, options] of keys) {
      const kept = before === undefined ? undefined : before.#byName.get(name);
      const text = JSON.stringify(options);
      const identity = kept?.text === text ? kept.identity : keyIdentity(name, options);
      this.#byName.set(name, { text, identity });
      this.#byHash.set(options.hash, identity);
      this.#identities.add(identity);
    }
  }

  get size(): number {
    return this.#byHash.size;
  }

  /** Whether an identity is one of these. A key that was changed since is another. */
  has(identity: Identity): boolean {
    return this.#identities.has(identity);
  }

  /** The identity of a key as a client shows it. */
  find(key: string): GrantedIdentity | undefined {
    return this.#byHash.size === 0 ? undefined : this.#byHash.get(hashOfKey(key));
  }
}

/** A key, and the text of its options, by which a change is seen. */
interface KeptKey {
  readonly text: string;
  readonly identity: GrantedIdentity;
}

function keyIdentity(name: string, { allow, expires, limits }: KeyOptions): GrantedIdentity {
  return new GrantedIdentity({
    credential: 'key',
    name: `key:${name}`,
    // What is not a time was refused before; if one comes through, the key has ended.
    expiresMs: expires === undefined ? Number.POSITIVE_INFINITY : (parseTimestamp(expires) ?? 0),
    grants: new Grants(allow),
    ...(limits === undefined ? {} : { limits }),
  });
}
