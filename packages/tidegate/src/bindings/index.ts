export { createPinoLogger, type LogTarget, type PinoLevel } from './pino-logger.ts';
export { createPrometheusMetrics, mergeFigures, type ReadableMetrics } from './prometheus-metrics.ts';
