export { SseEdge, type SseOptions } from './edge.ts';
