export { type AccessRules, NO_RULES } from './access-rules.ts';
export { bearerCredential } from './bearer.ts';
export { Gate, type GateOptions } from './gate.ts';
export { hashOfKey } from './keys.ts';
export { type OpenGateOptions, openGate } from './open-gate.ts';
export * from './port.ts';
export { NOTHING_REVOKED, type Revoked, revokedBy } from './revocations.ts';
export { TokenBucket } from './token-bucket.ts';
