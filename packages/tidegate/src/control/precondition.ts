import { TidegateError } from '../kernel/index.ts';
import type { AdminRequest } from '../listeners/index.ts';
import { named } from './plan.ts';
import type { ResourceName } from './port.ts';

/** The entity tag of a version (RFC 9110, section 8.8.3). */
export const entityTag = (version: number): string => `"${version}"`;

/**
 * The version that If-Match or If-None-Match makes a condition (RFC 9110, sections 13.1.1 and 13.1.2): null if there is none.
 * Answered with 409 and the code of a conflict, as 13.1.1 leaves open, so that every way of losing a race looks the same.
 * @param version the version now; 0 if there is no such resource
 * @throws TidegateError resource_conflict
 */
export function expectedVersion(
  { headers }: AdminRequest,
  resource: ResourceName,
  version: number,
): number | null {
  const conflict = (detail: string): never => {
    throw new TidegateError('resource_conflict', `It is the ${named(resource)}: ${detail}.`);
  };
  const match = headers['if-match']?.trim();
  const noneMatch = headers['if-none-match']?.trim();
  if (noneMatch !== undefined && noneMatch !== '*')
    return conflict(`If-None-Match is ${noneMatch}; a change takes only the value *`);
  if (noneMatch === '*') return 0;
  if (match === undefined) return null;
  if (match === '*') return version === 0 ? conflict('If-Match is *, and it is not there') : version;
  const tags = match.split(',').map((tag) => tag.trim());
  // Weak tags never match here (section 8.8.3.2).
  if (tags.includes(entityTag(version))) return version;
  const now = version === 0 ? 'it is not there' : `its ETag is ${entityTag(version)}`;
  return conflict(`If-Match is ${match}, and ${now}`);
}
