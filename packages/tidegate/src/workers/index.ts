export { answerLife, type LifeAnswers, type LifeQuestion } from './life.ts';
export { lineToOwner } from './owner-line.ts';
export { WorkerPool, type WorkerPoolOptions } from './pool.ts';
export { StreamLine, type StreamLineOptions } from './stream-line.ts';
