import type { StartPosition } from '../../channels/index.ts';
import {
  applyFilters,
  type Filtered,
  type GripChannel,
  type MessageFilter,
  messageFilters,
  suitsFilters,
} from '../../wire/grip/index.ts';
import type { GripRule } from '../routes/route.ts';
import type { ItemFrame } from './hold-frames.ts';

/** A channel that a hold is subscribed to. */
export interface HoldChannel {
  /** As the origin gave it. */
  readonly name: string;
  /** As the hub has it: with the prefix of the route. */
  readonly channel: string;
  readonly prevId: string | null;
  readonly filterNames: readonly string[];
  readonly filters: readonly MessageFilter[];
}

/** The channels of an instruction, and those that the route adds. Of a name that is there twice, the first counts. */
export function holdChannels(
  channels: readonly GripChannel[],
  { prefix, channels: ofRoute }: Pick<GripRule, 'prefix' | 'channels'>,
): readonly HoldChannel[] {
  const byName = new Map<string, HoldChannel>();
  const added = ofRoute.map((name): GripChannel => ({ name, prevId: null, filters: [] }));
  for (const { name, prevId, filters } of [...channels, ...added]) {
    if (byName.has(name)) continue;
    byName.set(name, {
      name,
      channel: prefix + name,
      prevId,
      filterNames: filters,
      filters: messageFilters(filters),
    });
  }
  return [...byName.values()];
}

/** What becomes of content for one subscriber of a channel. */
export function filterItem(
  frame: ItemFrame,
  content: Uint8Array,
  channel: HoldChannel,
  meta: ReadonlyMap<string, string>,
  channelIds: ReadonlyMap<string, string | null>,
): Filtered {
  if (!suitsFilters(frame.contentFilters, channel.filterNames)) return 'skipped';
  if (channel.filters.length === 0) return content;
  return applyFilters(channel.filters, content, {
    subscriptionMeta: meta,
    publicationMeta: frame.meta,
    channelIds,
  });
}

/** Where a hold was in a channel when the origin was asked what came after the message with this id. */
export interface AskedAt {
  readonly id: string | null;
  readonly cursor: string;
}

/** Where a hold begins in a channel. */
export interface Beginning {
  /** The id of the message behind which it begins. */
  readonly prevId: string | null;
  readonly from: StartPosition;
  /** The id that the client has, of a message that may still come. */
  readonly expects: string | null;
}

/**
 * Where a hold begins in a channel: behind the message that the origin names; or where it was when the origin was asked, if the origin says that there is
 * nothing newer, or names none; or now.
 */
export function beginning({ prevId }: HoldChannel, asked: AskedAt | undefined): Beginning {
  if (asked !== undefined && asked.cursor !== '' && (prevId === null || prevId === asked.id)) {
    return { prevId: null, from: { kind: 'cursor', cursor: asked.cursor }, expects: prevId };
  }
  return { prevId, from: { kind: 'latest' }, expects: null };
}
