import type { RelayedLines } from '../../listeners/port.ts';
import type { FieldLines, ReceivedResponse } from '../../wire/http1/index.ts';
import { connectionOptions, isHopByHop } from './hop-by-hop.ts';

/** The fields of a response that are for the client: names and values in turn, in their order. */
export function endToEndFields({ fields }: ReceivedResponse): string[] {
  const named = connectionOptions(fields);
  const pairs: string[] = [];
  for (let index = 0; index < fields.count; index++) {
    if (isHopByHop(fields, index) || named?.has(fields.name(index)) === true) continue;
    pairs.push(fields.spelledName(index), fields.value(index));
  }
  return pairs;
}

/** The same as lines of HTTP/1; null if they did not come as they are written here. */
export function endToEndLines({ fields }: ReceivedResponse): RelayedLines | null {
  if (!fields.isPlain) return null;
  const named = connectionOptions(fields);
  let text = '';
  let isDated = false;
  let from = 0;
  for (let index = 0; index < fields.count; index++) {
    if (isHopByHop(fields, index) || named?.has(fields.name(index)) === true) {
      if (from < index) text += fields.lines(from, index);
      from = index + 1;
    } else if (fields.isNamed(index, 'date')) {
      isDated = true;
    }
  }
  if (from < fields.count) text += fields.lines(from, fields.count);
  return { text, isDated };
}

const TIMEOUT = /(?:^|[,;\s])timeout=(\d{1,7})(?:$|[,;\s])/i;

/** `Keep-Alive: timeout=5`: how long the origin keeps the connection, in milliseconds; null if it does not say. */
export function keepAliveHintMs(fields: FieldLines): number | null {
  const hint = fields.get('keep-alive');
  const seconds = hint === undefined ? undefined : TIMEOUT.exec(hint)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}
