export { answerLife } from './life.ts';
export { lineToOwner } from './owner-line.ts';
export { WorkerPool, type WorkerPoolOptions } from './pool.ts';
export { StreamLine } from './stream-line.ts';
