import type { Limits } from '../../kernel/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import { decodeFormats, encodeFormats, type PublishFormats } from '../../wire/grip/index.ts';

/** What of an item is kept with its record: as `PublishedEvent.renderings`, or as the data of a control record. */
export interface StoredItem {
  readonly formats: PublishFormats;
  /** What filters know of the item. */
  readonly meta: ReadonlyMap<string, string>;
  /** The id of the item before it; null if its publisher did not say. Default: null. */
  readonly prevId?: string | null;
}

const NO_META: ReadonlyMap<string, string> = new Map();

/**
 * An item as text: its prev-id and meta on the first line, which is empty if there are none, and its formats on the second.
 * @param data those of the record, to which content refers that has them in it
 */
export function encodeStoredItem({ formats, meta, prevId = null }: StoredItem, data: Uint8Array): string {
  const first = meta.size === 0 && prevId === null ? '' : JSON.stringify([prevId, ...[...meta].flat()]);
  return `${first}\n${encodeFormats(formats, data)}`;
}

/**
 * The item that `encodeStoredItem` made a text of, with the data of the same record.
 * @throws TidegateError grip_item_invalid
 */
export function decodeStoredItem(text: string, data: Uint8Array, limits: Limits): StoredItem {
  const lineEnd = text.indexOf('\n');
  if (lineEnd === -1) throw new TidegateError('grip_item_invalid', 'The stored item has no formats.');
  const formats = decodeFormats(text.slice(lineEnd + 1), data, limits);
  if (lineEnd === 0) return { formats, meta: NO_META, prevId: null };
  const [prevId, ...turns] = JSON.parse(text.slice(0, lineEnd)) as readonly [string | null, ...string[]];
  return { formats, meta: metaOf(turns), prevId };
}

function metaOf(turns: readonly string[]): ReadonlyMap<string, string> {
  const meta = new Map<string, string>();
  for (let at = 0; at < turns.length; at += 2) meta.set(turns[at], turns[at + 1]);
  return meta;
}
