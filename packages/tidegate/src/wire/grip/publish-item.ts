import type { Limits } from '../../kernel/index.ts';
import { CONTENT_IN_MEMBERS } from './content-source.ts';
import { formatsOf } from './format-members.ts';
import { Members } from './members.ts';
import type { PublishFormats } from './publish-format.ts';

/** What an origin publishes. */
export interface PublishItem {
  readonly channel: string;
  /** Null if it has none; it is then never taken for a repetition. */
  readonly id: string | null;
  /** The id of the item before it in the channel; null if it does not matter. */
  readonly prevId: string | null;
  readonly formats: PublishFormats;
  /** What filters know of the item. */
  readonly meta: ReadonlyMap<string, string>;
  /** How large the publisher says it is, in a unit of its own, for its statistics; null if it does not. */
  readonly size: number | null;
  /** Whether it waits for the item that `prevId` names (`ordered`), or not. */
  readonly sequencing: 'ordered' | 'none';
}

/**
 * Reads an item from a value that was parsed from JSON or from a tnetstring. The formats may be in `formats`, or in the item
 * itself. Members that GRIP does not define are passed over.
 * @param channel stands for the member `channel` where the channel comes another way
 * @throws TidegateError grip_item_invalid, naming the member
 */
export function parsePublishItem(value: unknown, limits: Limits, channel: string | null = null): PublishItem {
  const item = new Members(value, '', 'grip_item_invalid');
  const formats = formatsOf(item.object('formats') ?? item, CONTENT_IN_MEMBERS, limits);
  if (formats.httpResponse === null && formats.httpStream === null && formats.webSocketMessage === null) {
    throw item.fault('formats', 'has none of http-response, http-stream and ws-message');
  }
  return {
    channel: channel ?? item.name('channel'),
    id: item.id('id'),
    prevId: item.id('prev-id'),
    formats,
    meta: new Map(item.textMembers('meta')),
    size: item.wholeNumber('size', 0, Number.MAX_SAFE_INTEGER),
    sequencing: item.isSet('no-seq') ? 'none' : 'ordered',
  };
}
