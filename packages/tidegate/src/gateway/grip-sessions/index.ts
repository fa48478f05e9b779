export { GripSessions, type GripSessionsOptions, type SessionScope } from './grip-sessions.ts';
export { sessionIdIn } from './session-id.ts';
export type { SessionIds } from './session-store.ts';
export type { SessionTrack } from './session-track.ts';
