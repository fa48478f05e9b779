export { type FollowedConfig, followConfig } from './followed-config.ts';
export type { Environment } from './interpolate.ts';
export { type ConfigRequest, type LoadedConfig, loadConfig, resolveConfig } from './load.ts';
export { nearest } from './nearest.ts';
export { type ConfigProblem, formatProblem } from './problem.ts';
export type { ConfigOverrides, DeclaredResource, ResolvedConfig } from './resolve.ts';
export { restartKeys } from './restart-keys.ts';
export { configSchema, LOG_LEVELS, type LogLevel } from './schema.ts';
