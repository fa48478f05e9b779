import { Grants } from './grants.ts';
import type { LimitOptions } from './options.ts';
import type { Identity, Permission } from './port.ts';

const NO_CLAIMS: Identity['claims'] = Object.freeze({});

interface IdentityParts {
  readonly credential: Identity['credential'];
  readonly name: string;
  readonly user?: string;
  readonly expiresMs?: number;
  readonly claims?: Identity['claims'];
  readonly grants: Grants;
  readonly limits?: LimitOptions;
}

/** Somebody who was verified, with what they may do. */
export class GrantedIdentity implements Identity {
  readonly credential: Identity['credential'];
  readonly name: string;
  readonly user: string;
  readonly expiresMs: number;
  readonly claims: Identity['claims'];
  /** The limits of its own; null if it has none. */
  readonly limits: LimitOptions | null;
  readonly #grants: Grants;

  constructor(parts: IdentityParts) {
    this.credential = parts.credential;
    this.name = parts.name;
    this.user = parts.user ?? '';
    this.expiresMs = parts.expiresMs ?? Number.POSITIVE_INFINITY;
    this.claims = parts.claims ?? NO_CLAIMS;
    this.limits = parts.limits ?? null;
    this.#grants = parts.grants;
  }

  /** Who shows nothing. */
  static anonymous(grants: Grants): GrantedIdentity {
    return new GrantedIdentity({ credential: 'none', name: '', grants });
  }

  /** Whether nothing needs to be checked. */
  get mayDoEverything(): boolean {
    return this.#grants === Grants.all;
  }

  /** Whether there is anything that it may do. */
  get mayDoAnything(): boolean {
    return this.#grants !== Grants.none;
  }

  allows(permission: Permission, channel: string): boolean {
    return this.#grants.allows(permission, channel);
  }
}
