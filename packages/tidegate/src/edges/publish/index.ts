export { PublishEdge, type PublishOptions } from './edge.ts';
