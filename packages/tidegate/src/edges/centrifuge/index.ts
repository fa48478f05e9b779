export type { RpcHandler } from './context.ts';
export { CentrifugeEdge, type CentrifugeEdgeOptions } from './edge.ts';
export type { ClientInfo } from './protocol.ts';
