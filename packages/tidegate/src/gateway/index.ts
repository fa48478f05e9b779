export { type PurgeCallback, type PurgeRequest, type PurgeResult, purgeRequestOf } from './cache/index.ts';
export { Gateway, type GatewayOptions } from './gateway.ts';
export type { ChangedRules, GatewayRules } from './gateway-rules.ts';
export { createControlPort } from './grip/control-port.ts';
export { LocalAttendance } from './grip-attendance/local-attendance.ts';
export { ToldAttendance } from './grip-attendance/told-attendance.ts';
export { GripControl, type GripControlOptions } from './grip-control.ts';
export type { GripProcess } from './grip-processes/port.ts';
export { serveProcess } from './grip-processes/serve-process.ts';
