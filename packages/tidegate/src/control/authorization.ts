import { type Access, bearerCredential, type Identity } from '../access/index.ts';
import { TidegateError } from '../kernel/index.ts';
import type { AdminCaller } from '../listeners/index.ts';

/** Whether the admin port is for those alone who have the permission `admin`, or for everybody who can reach it. */
export type AdminDoor = 'admins' | 'everybody';

/** Lets in whoever may use the admin port, under the name of the credential, for the history of changes; refuses everybody else. */
export function adminAuthorization(
  access: Access,
  door: AdminDoor,
): (authorization: string | undefined, from: string) => Promise<AdminCaller> {
  return async (authorization, from) => {
    if (door === 'everybody') return { name: await nameOf(access, authorization, from), hold: null };
    const identity =
      authorization === undefined
        ? access.anonymous
        : await verified(access, bearerCredential(authorization), from);
    if (identity.allows('admin', '')) {
      return { name: identity.name, hold: (ended) => access.hold(identity, { accessEnded: ended }) };
    }
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

/** Where everybody may, what was shown only says who it was, and whoever cannot be told is nobody in particular. */
async function nameOf(access: Access, authorization: string | undefined, from: string): Promise<string> {
  if (authorization === undefined) return '';
  try {
    // Counted apart from those who guess on the public port: neither shall hold up the other.
    return (await verified(access, bearerCredential(authorization), `admin ${from}`)).name;
  } catch {
    return '';
  }
}
