export { PollEdge, type PollOptions } from './edge.ts';
