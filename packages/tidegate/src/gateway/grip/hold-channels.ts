import type { StartPosition } from '../../channels/index.ts';
import {
  applyFilters,
  asksOrigin,
  type FilterContext,
  type Filtered,
  filterSteps,
  type GripChannel,
  type MessageFilter,
  messageFilters,
  suitsFilters,
} from '../../wire/grip/index.ts';
import type { GripRule } from '../routes/route.ts';
import type { Asked } from './filter-requests.ts';
import { type FilterTerms, runFilters } from './filter-run.ts';
import type { ItemFrame } from './hold-frames.ts';
import type { Cancel } from './ordered-work.ts';

/** A channel that a hold is subscribed to. */
export interface HoldChannel {
  /** As the origin gave it. */
  readonly name: string;
  /** As the hub has it: with the prefix of the route. */
  readonly channel: string;
  readonly prevId: string | null;
  readonly filterNames: readonly string[];
  readonly filters: readonly MessageFilter[];
  /** Whether the origin is asked about each item. */
  readonly asks: boolean;
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
      asks: asksOrigin(filters),
    });
  }
  return [...byName.values()];
}

/** The same where the origin is asked: `done` comes once, also before this returns. */
export function filterItemAsking(
  frame: ItemFrame,
  content: Uint8Array,
  { filterNames }: HoldChannel,
  terms: Pick<FilterTerms, 'scope' | 'requests'> & Pick<FilterContext, 'subscriptionMeta' | 'channelIds'>,
  done: (asked: Asked) => void,
): Cancel | null {
  if (!suitsFilters(frame.contentFilters, filterNames)) {
    done('skipped');
    return null;
  }
  const { scope, requests, subscriptionMeta, channelIds } = terms;
  const context = { subscriptionMeta, publicationMeta: frame.meta, channelIds };
  return runFilters(content, { steps: filterSteps(filterNames), context, scope, requests }, done);
}

/** What becomes of content for one subscriber of a channel whose filters decide at once. */
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
