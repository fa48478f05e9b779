export { type PurgeCallback, type PurgeRequest, type PurgeResult, purgeRequestOf } from './cache/index.ts';
export { Gateway, type GatewayOptions } from './gateway.ts';
export type { ChangedRules, GatewayRules } from './gateway-rules.ts';
export { createControlPort } from './grip/control-port.ts';
export { GripPublisher } from './grip/grip-publisher.ts';
