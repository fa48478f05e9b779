export { type Entry, toEntry } from './entry.ts';
export { Publisher, PublishRefused } from './publisher.ts';
export { type ReplayOptions, replay } from './replay.ts';
export { SPAN_MS, schedule } from './schedule.ts';
