import { TidegateError } from '../kernel/index.ts';
import type { AccessEnd } from './port.ts';

/** The error for whoever shows, or rests on, a credential that was good once. */
export function endedError(end: AccessEnd): TidegateError {
  return new TidegateError(end === 'expired' ? 'token_expired' : 'credential_revoked');
}
