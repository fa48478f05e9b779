import { Buffer } from 'node:buffer';
import { type Resolve, replaceDirectives } from './directives.ts';
import type { ContentFilters } from './publish-format.ts';

/** What filters know. */
export interface FilterContext {
  /** Of the subscriber: `user`, `id_format`, `id_encoding`, and variables. */
  readonly subscriptionMeta: ReadonlyMap<string, string>;
  /** Of the item: `sender`, `skip_users`, `require_sub`. */
  readonly publicationMeta: ReadonlyMap<string, string>;
  /**
   * All channels that the connection is subscribed to, by the names that the origin gave them, and of each the id up to which the
   * client has everything once it gets the item; null where that is not known.
   */
  readonly channelIds: ReadonlyMap<string, string | null>;
}

/**
 * What becomes of content: bytes to send in its place, the same if nothing changes; `skipped` if it is not meant for the
 * subscriber; `unresolved` if it refers to something that the subscriber does not have, which concerns this item only.
 */
export type Filtered = Uint8Array | 'skipped' | 'unresolved';

export type MessageFilter = (content: Uint8Array, context: FilterContext) => Filtered;

/** The filters that decide without asking anybody, by their names. */
export const MESSAGE_FILTERS: ReadonlyMap<string, MessageFilter> = new Map([
  ['skip-self', skipSelf],
  ['skip-users', skipUsers],
  ['require-sub', requireSub],
  ['build-id', buildId],
  ['var-subst', substituteVariables],
]);

/** The filters that change content, for which publishers may write it specially. */
const FILTERS_OF_CONTENT: ReadonlySet<string> = new Set(['build-id', 'var-subst', 'http-modify']);

/** A filter that an origin answers: whether content is for a subscriber, or what is to be sent in its place. */
export type AskingFilter = 'http-check' | 'http-modify';

export const ASKING_FILTERS: readonly AskingFilter[] = ['http-check', 'http-modify'];

/** The filters of a subscription that decide at once, to be kept with it. Unknown names have no effect. */
export function messageFilters(names: readonly string[]): readonly MessageFilter[] {
  return names.flatMap((name) => MESSAGE_FILTERS.get(name) ?? []);
}

/** All filters of a subscription, in their order. */
export function filterSteps(names: readonly string[]): readonly (MessageFilter | AskingFilter)[] {
  return names.flatMap<MessageFilter | AskingFilter>(
    (name) => MESSAGE_FILTERS.get(name) ?? ASKING_FILTERS.filter((asking) => asking === name),
  );
}

/** Whether an origin is to be asked about each item for a subscription with these filters. */
export function asksOrigin(names: readonly string[]): boolean {
  return ASKING_FILTERS.some((asking) => names.includes(asking));
}

/** Applies filters one after the other, as long as there is content. */
export function applyFilters(
  filters: readonly MessageFilter[],
  content: Uint8Array,
  context: FilterContext,
): Filtered {
  let filtered: Filtered = content;
  for (const filter of filters) {
    filtered = filter(filtered, context);
    if (typeof filtered === 'string') break;
  }
  return filtered;
}

/**
 * Whether content is for a subscription with these filters: it is, if it was written for no filters in particular, or for those of
 * the subscription that change content, in their order.
 */
export function suitsFilters(contentFilters: ContentFilters, names: readonly string[]): boolean {
  if (contentFilters === null) return true;
  const changing = names.filter((name) => FILTERS_OF_CONTENT.has(name));
  return changing.length === contentFilters.length && changing.every((name, i) => name === contentFilters[i]);
}

function skipSelf(content: Uint8Array, { subscriptionMeta, publicationMeta }: FilterContext): Filtered {
  const user = subscriptionMeta.get('user');
  return user && user === publicationMeta.get('sender') ? 'skipped' : content;
}

function skipUsers(content: Uint8Array, { subscriptionMeta, publicationMeta }: FilterContext): Filtered {
  const user = subscriptionMeta.get('user');
  const skipped = publicationMeta.get('skip_users');
  if (!user || !skipped) return content;
  return skipped.split(',').some((name) => name.trim() === user) ? 'skipped' : content;
}

function requireSub(content: Uint8Array, { publicationMeta, channelIds }: FilterContext): Filtered {
  const channel = publicationMeta.get('require_sub');
  return channel && !channelIds.has(channel) ? 'skipped' : content;
}

function substituteVariables(content: Uint8Array, { subscriptionMeta }: FilterContext): Filtered {
  const replaced = replaceDirectives(content, (type, name) =>
    type === 's' && name !== null ? (subscriptionMeta.get(name) ?? null) : null,
  );
  return replaced ?? 'unresolved';
}

/**
 * Replaces `%I` by the id up to which the client has everything, and `%(text)I` by that text, both in the encoding that the
 * subscription asks for. The form of the id is the subscription's `id_format`, in which `%(channel)s` is the id of a channel.
 */
function buildId(content: Uint8Array, context: FilterContext): Filtered {
  const resolve = idDirectives(context);
  return (resolve && replaceDirectives(content, resolve)) ?? 'unresolved';
}

/** What the directives of `build-id` stand for; null if the subscription does not say, or not in a way that is known. */
export function idDirectives({
  subscriptionMeta,
  channelIds,
}: Pick<FilterContext, 'subscriptionMeta' | 'channelIds'>): Resolve | null {
  const format = subscriptionMeta.get('id_format');
  const encoding = subscriptionMeta.get('id_encoding');
  if (format === undefined || (encoding !== undefined && encoding !== 'hex')) return null;
  const encoded = (id: Uint8Array): Uint8Array | string =>
    encoding === 'hex' ? Buffer.from(id).toString('hex') : id;
  let id: Uint8Array | null | undefined;
  return (type, text) => {
    if (type !== 'I') return null;
    if (text !== null) return encoded(Buffer.from(text, 'utf8'));
    // Only when it is needed, and then once.
    if (id === undefined) id = idOf(format, channelIds);
    return id && encoded(id);
  };
}

function idOf(format: string, channelIds: FilterContext['channelIds']): Uint8Array | null {
  return replaceDirectives(Buffer.from(format, 'utf8'), (type, channel) =>
    type === 's' && channel !== null ? (channelIds.get(channel) ?? null) : null,
  );
}
