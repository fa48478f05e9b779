import { resolveLimits } from '../../../src/kernel/index.ts';
import { type PublishItem, parsePublishItem } from '../../../src/wire/grip/index.ts';

const limits = resolveLimits();

/** An item as publishers write it. */
export const item = (members: Record<string, unknown>): PublishItem => parsePublishItem(members, limits);

/** An item with a text for streams. */
export const streamItem = (
  channel: string,
  content: string,
  others: Record<string, unknown> = {},
): PublishItem => item({ channel, 'http-stream': { content }, ...others });
