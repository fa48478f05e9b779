import { type Allow, Grants } from './grants.ts';
import { GrantedIdentity } from './identity.ts';
import type { Permission, ShownCertificate } from './port.ts';

/** How many identities are remembered. */
const REMEMBERED_MAX = 10_000;

/** Who shows which certificate. The listener has verified it; what is left is what its names mean. */
export class Certificates {
  readonly #allowed: ReadonlyMap<string, Allow>;
  /** By the names that mean something, and the end: certificates that agree in both are one identity. */
  readonly #identities = new Map<string, GrantedIdentity>();

  /** @param allowed by name with its kind; `CN:` stands before a common name */
  constructor(allowed: Readonly<Record<string, Allow>>) {
    this.#allowed = new Map(Object.entries(allowed));
  }

  get isEmpty(): boolean {
    return this.#allowed.size === 0;
  }

  /** Null if none of the names means anything. */
  identityOf({ commonName, names, expiresMs }: ShownCertificate): GrantedIdentity | null {
    const known = [...names, `CN:${commonName}`].filter((name) => this.#allowed.has(name));
    if (known.length === 0) return null;
    const key = `${expiresMs} ${known.join(' ')}`;
    let identity = this.#identities.get(key);
    if (identity === undefined) {
      if (this.#identities.size >= REMEMBERED_MAX) this.#identities.clear();
      identity = new GrantedIdentity({
        credential: 'certificate',
        // A renewed certificate is the same publisher.
        name: `certificate:${known[0]}`,
        user: known[0],
        expiresMs,
        grants: new Grants(together(known.map((name) => this.#allowed.get(name) as Allow))),
      });
      this.#identities.set(key, identity);
    }
    return identity;
  }
}

function together(parts: readonly Allow[]): Allow {
  const all = new Map<string, readonly Permission[]>();
  for (const part of parts) {
    for (const [pattern, permissions] of Object.entries(part))
      all.set(pattern, [...(all.get(pattern) ?? []), ...permissions]);
  }
  return Object.fromEntries(all);
}
