import { type Access, bearerCredential, type Identity } from '../access/index.ts';
import { TidegateError } from '../kernel/index.ts';

/** Lets those use the admin port who have the permission `admin`. */
export function adminAuthorization(
  access: Access,
): (authorization: string | undefined, from: string) => Promise<void> {
  return async (authorization, from) => {
    const identity =
      authorization === undefined
        ? access.anonymous
        : await verified(access, bearerCredential(authorization), from);
    if (identity.allows('admin', '')) return;
    if (authorization === undefined) throw new TidegateError('credential_missing', 'for the admin port');
    throw new TidegateError('access_denied', 'The permission admin is needed');
  };
}

function verified(access: Access, credential: string, from: string): Promise<Identity> {
  return new Promise((resolve, reject) => {
    access.verify(credential, from, (result) => {
      if (result instanceof TidegateError) reject(result);
      else resolve(result);
    });
  });
}
