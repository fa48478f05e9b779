import { parseTimestamp } from '../kernel/index.ts';
import type { RevocationOptions } from './options.ts';
import type { Identity } from './port.ts';

/** What is no longer believed, although it was signed and has not expired. */
export interface Revoked {
  /** Token ids, the claim `jti`. */
  readonly tokenIds: ReadonlySet<string>;
  /** Users, each with the time in milliseconds before which their tokens were issued (claim `iat`). */
  readonly users: ReadonlyMap<string, number>;
}

export const NOTHING_REVOKED: Revoked = { tokenIds: new Set(), users: new Map() };

/** What several revocations mean together. */
export function revokedBy(revocations: Iterable<RevocationOptions>): Revoked {
  const tokenIds = new Set<string>();
  const users = new Map<string, number>();
  for (const { tokenId, user, before } of revocations) {
    if (tokenId !== undefined) tokenIds.add(tokenId);
    if (user === undefined || before === undefined) continue;
    users.set(user, Math.max(users.get(user) ?? 0, parseTimestamp(before) ?? Number.POSITIVE_INFINITY));
  }
  return { tokenIds, users };
}

/** Whether a token's identity was revoked. A token that does not say when it was issued counts as issued before. */
export function isRevoked({ credential, user, claims }: Identity, revoked: Revoked): boolean {
  if (credential !== 'token') return false;
  const { jti, iat } = claims;
  if (typeof jti === 'string' && revoked.tokenIds.has(jti)) return true;
  const beforeMs = revoked.users.get(user);
  if (beforeMs === undefined) return false;
  return typeof iat !== 'number' || iat * 1000 < beforeMs;
}
