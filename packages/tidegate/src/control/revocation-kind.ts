import { REVOCATION_NAME_PATTERN, revocationSchema } from '../access/options.ts';
import type { ResourceKind } from './port.ts';

/** The name of the kind. */
export const REVOCATION_KIND = 'revocation';

/** Tokens that are believed no more. What that means is for `access/` to say, which follows the snapshot. */
export function revocationKind(): ResourceKind {
  return {
    kind: REVOCATION_KIND,
    description:
      'Tokens that are believed no more: one by its id, or all of a user that were issued before a time. Can be deleted once they have expired.',
    namePattern: REVOCATION_NAME_PATTERN,
    schema: revocationSchema,
    complete: (_name, spec) => spec,
    check() {},
  };
}
