import type { KeyOptions } from './options.ts';
import { NOTHING_REVOKED, type Revoked } from './revocations.ts';

/** What the gate goes by. Keys and what was revoked change while the server runs. */
export interface AccessRules {
  /** By name. */
  readonly keys: ReadonlyMap<string, KeyOptions>;
  readonly revoked: Revoked;
  /** Another process of the server asks for credentials already, which it goes on doing, whatever the keys are by now. Default: no. */
  readonly asksForCredentials?: boolean;
}

export const NO_RULES: AccessRules = { keys: new Map(), revoked: NOTHING_REVOKED };
