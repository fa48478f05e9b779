export { createPinoLogger, type LogTarget, type PinoLevel } from './pino-logger.ts';
export {
  countedFigures,
  createPrometheusMetrics,
  mergeFigures,
  type ReadableMetrics,
} from './prometheus-metrics.ts';
export { loadZeromqSockets } from './zeromq-sockets.ts';
