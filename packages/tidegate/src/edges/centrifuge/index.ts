export { CLIENT_INFO_FORM } from './client-info-form.ts';
export type { RpcHandler } from './context.ts';
export { CentrifugeEdge, type CentrifugeEdgeOptions } from './edge.ts';
export { OwnerProcesses, type OwnerProcessesOptions } from './owner-processes.ts';
export type { OtherProcesses } from './processes.ts';
export type { ClientInfo } from './protocol.ts';
export { WorkerProcesses } from './worker-processes.ts';
