import { type Buffer, isUtf8 } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { type PublishItem, parsePublishItem } from '../../wire/grip/index.ts';
import { type PurgeRequest, purgeRequestOf } from '../cache/index.ts';

/** What a request publishes, and what it has taken out of the cache before. */
export interface PublishRequest {
  readonly items: readonly PublishItem[];
  readonly purges: readonly PurgeRequest[];
}

/**
 * Reads `{"items":[…],"purge":[…]}`, whose second member Pushpin passes over. One item that is invalid makes the whole invalid: whoever sent it would
 * have to find out what was published.
 * @throws TidegateError grip_item_invalid, naming the item by its position; purge_invalid
 */
export function parsePublishRequest(body: Buffer, limits: Limits): PublishRequest {
  const { items, purge = [] } = membersOf(body);
  if (!Array.isArray(purge)) throw new TidegateError('purge_invalid', '"purge" is not an array.');
  return {
    items: parseItems(items, limits),
    purges: purge.map((wanted, index) => placed(`purge[${index}]`, () => purgeRequestOf(wanted))),
  };
}

/**
 * The value of `items`, as it came in JSON or in a tnetstring.
 * @throws TidegateError grip_item_invalid, naming the item by its position
 */
export function parseItems(items: unknown, limits: Limits): readonly PublishItem[] {
  if (!Array.isArray(items)) throw invalid('It is not an object with an array "items".');
  if (items.length > limits.batchEventsMax) {
    throw invalid(`There are ${items.length} items; the limit is ${limits.batchEventsMax}.`);
  }
  return items.map((item, index) => placed(`items[${index}]`, () => parsePublishItem(item, limits)));
}

/** Says in an error where in the body it is. */
function placed<Value>(place: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    throw new TidegateError(error.code, `${place}: ${error.detail}`, { cause: error });
  }
}

function membersOf(body: Buffer): { readonly items?: unknown; readonly purge?: unknown } {
  if (!isUtf8(body)) throw invalid('The body is not UTF-8.');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw invalid('The body is not JSON.', error);
  }
  return typeof value === 'object' && value !== null ? value : {};
}

const invalid = (detail: string, cause?: unknown): TidegateError =>
  new TidegateError('grip_item_invalid', detail, { cause });
