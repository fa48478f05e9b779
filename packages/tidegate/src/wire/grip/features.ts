import { ASKING_FILTERS, MESSAGE_FILTERS } from './filters.ts';

/** What a gateway with these codecs can tell origins in `Grip-Feature` that it knows, if it also acts on it. */
export const GRIP_FEATURES: readonly string[] = [
  'status',
  'session',
  'link:next',
  'link:gone',
  ...[...MESSAGE_FILTERS.keys(), ...ASKING_FILTERS].map((name) => `filter:${name}`),
];
