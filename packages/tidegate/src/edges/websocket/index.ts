export { WebSocketEdge, type WebSocketEdgeOptions } from './edge.ts';
