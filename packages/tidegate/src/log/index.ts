export { FollowerLog, type FollowOptions } from './follower/follower-log.ts';
export { decodeHeaders, encodeHeaders, findHeader, type Header } from './headers.ts';
export { murmur2, partitionOfKey } from './murmur2.ts';
export { type LogOptions, type MemoryLogOptions, openLog, openMemoryLog } from './open-log.ts';
export {
  TOPIC_NAME_PATTERN,
  type TopicOptions,
  topicOptionsOf,
  topicSchema,
  topicSpecOf,
} from './options.ts';
export {
  type AppendCallback,
  type AppendedTopic,
  type AppendRecord,
  type DamagedRange,
  type Durability,
  type FollowedLog,
  type Log,
  type LogReader,
  type PartitionBounds,
  RECORD_CONTROL,
  RECORD_JSON,
  RECORD_NULL,
  RECORD_UTF8,
  type ReadRequest,
  type ReadResult,
  type TailListener,
  type Topic,
  type TopicAppend,
  type TopicSpec,
  type TopicStatistics,
} from './port.ts';
export type { RecordBatch } from './record-batch.ts';
export { checkAlteration, isSameSpec } from './topic-rules.ts';
