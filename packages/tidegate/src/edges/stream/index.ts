export { StreamEdge, type StreamOptions } from './edge.ts';
