export { ByteReader } from './byte-reader.ts';
export { ByteWriter, EMPTY } from './bytes.ts';
export { type Clock, pause, systemClock, type Timer } from './clock.ts';
export { Deadlines, type Expiring } from './deadlines.ts';
export { type Blame, ERRORS, type ErrorCode, type ErrorEntry } from './error-registry.ts';
export { TidegateError } from './errors.ts';
export { FileWatch, type FileWatchOptions } from './file-watch.ts';
export { type HoldsWrites, holdWrites } from './held-writes.ts';
export { EPOCH_LENGTH, randomId, secretOf } from './ids.ts';
export type { LimitEntry } from './limit-entry.ts';
export { LIMITS, type LimitName, type Limits, resolveLimits } from './limits.ts';
export {
  LINE_SUBJECTS,
  type Line,
  type LineAnswer,
  type LineSubject,
  type Lines,
  lineJson,
  readLineJson,
} from './line.ts';
export { Liveness, type LivenessOptions, type Watched } from './liveness.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export { MASKED_SECRET } from './masked-secret.ts';
export type {
  BoundPublisher,
  BoundSocket,
  BoundSubscriber,
  MessageSockets,
  PublishOptions,
  ReceiveOptions,
  ReplyOptions,
  SocketOptions,
} from './message-sockets.ts';
export {
  type Counter,
  type Gauge,
  type Histogram,
  type LabelValues,
  type MetricSpec,
  type Metrics,
  noMetrics,
} from './metrics.ts';
export { PersistentMap } from './persistent-map.ts';
export { type Random, seededRandom, systemRandom } from './random.ts';
export { parseTimestamp } from './timestamp.ts';
export { packageVersion } from './version.ts';
