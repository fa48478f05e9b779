import { type Buffer, isUtf8 } from 'node:buffer';
import type { PublishedEvent } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import { type EntryRules, readEntry } from './event-of-entry.ts';
import { ElementScanner } from './json-members.ts';
import { assertAtEnd, skipWhiteSpace } from './json-scan.ts';

const OPEN_BRACKET = 0x5b;

/** Events in the order in which they were sent, with the error in the place of each that is not one. */
export type Entries = readonly (PublishedEvent | TidegateError)[];

/**
 * Refuses text that is not UTF-8.
 * @throws TidegateError utf8_invalid
 */
function assertUtf8(body: Buffer): void {
  if (!isUtf8(body)) throw new TidegateError('utf8_invalid', 'JSON must be UTF-8 (RFC 8259, section 8.1)');
}

/**
 * Reads a batch: a JSON array of entries, or a single entry.
 * @throws TidegateError utf8_invalid, json_malformed, batch_too_large: the batch as a whole is refused
 */
export function readEntries(body: Buffer, rules: EntryRules, eventsMax: number): Entries {
  assertUtf8(body);
  const end = body.length;
  const start = skipWhiteSpace(body, 0, end);
  if (start >= end || body[start] !== OPEN_BRACKET) return [readOnlyEntry(body, start, end, rules)];
  const entries: (PublishedEvent | TidegateError)[] = [];
  const elements = new ElementScanner(body, start, end);
  while (elements.next()) {
    if (entries.length === eventsMax) {
      throw new TidegateError('batch_too_large', `There are more than ${eventsMax} events`);
    }
    const entry = readEntry(body, elements.start, end, rules);
    elements.leave(entry.end);
    entries.push(entry.event);
  }
  assertAtEnd(body, elements.end, end);
  return entries;
}

function readOnlyEntry(
  body: Buffer,
  start: number,
  end: number,
  rules: EntryRules,
): PublishedEvent | TidegateError {
  const entry = readEntry(body, start, end, rules);
  assertAtEnd(body, entry.end, end);
  return entry.event;
}

/**
 * Reads a body or a line that is one entry.
 * @throws TidegateError utf8_invalid, json_malformed, event_invalid and what else is wrong with the entry
 */
export function readSingleEntry(body: Buffer, rules: EntryRules): PublishedEvent {
  assertUtf8(body);
  const event = readOnlyEntry(body, skipWhiteSpace(body, 0, body.length), body.length, rules);
  if (event instanceof TidegateError) throw event;
  return event;
}
