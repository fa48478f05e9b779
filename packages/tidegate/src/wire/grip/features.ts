import { MESSAGE_FILTERS } from './filters.ts';

/** What a gateway with these codecs can tell origins in `Grip-Feature` that it knows, if it also acts on it. */
export const GRIP_FEATURES: readonly string[] = [
  'status',
  'session',
  'link:next',
  'link:gone',
  ...[...MESSAGE_FILTERS.keys()].map((name) => `filter:${name}`),
];
