export { PublishEdge, type PublishOptions } from './edge.ts';
export type { CachePurger } from './port.ts';
