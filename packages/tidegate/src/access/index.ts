export { bearerCredential } from './bearer.ts';
export { type AccessRules, Gate, type GateOptions, NO_RULES } from './gate.ts';
export { hashOfKey } from './keys.ts';
export { openGate } from './open-gate.ts';
export * from './port.ts';
export { NOTHING_REVOKED, type Revoked, revokedBy } from './revocations.ts';
