import { TidegateError } from '../kernel/index.ts';

const BEARER = /^bearer +([^ ]+)$/i;

/**
 * The credential of an Authorization header: RFC 6750, section 2.1.
 * @throws TidegateError credential_invalid
 */
export function bearerCredential(authorization: string): string {
  const match = BEARER.exec(authorization);
  if (match !== null) return match[1];
  throw new TidegateError(
    'credential_invalid',
    'The Authorization header is not of the form: Bearer CREDENTIAL',
  );
}
