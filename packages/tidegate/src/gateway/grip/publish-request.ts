import { type Buffer, isUtf8 } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { type PublishItem, parsePublishItem } from '../../wire/grip/index.ts';

/**
 * The items of `{"items":[…]}`. One that is invalid makes the whole invalid: whoever sent it would have to find out what was published.
 * @throws TidegateError grip_item_invalid, naming the item by its position
 */
export function parsePublishRequest(body: Buffer, limits: Limits): readonly PublishItem[] {
  const items = itemsOf(body);
  if (items.length > limits.batchEventsMax) {
    throw invalid(`There are ${items.length} items; the limit is ${limits.batchEventsMax}.`);
  }
  return items.map((item, index) => {
    try {
      return parsePublishItem(item, limits);
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      throw new TidegateError(error.code, `items[${index}]: ${error.detail}`, { cause: error });
    }
  });
}

function itemsOf(body: Buffer): readonly unknown[] {
  if (!isUtf8(body)) throw invalid('The body is not UTF-8.');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw invalid('The body is not JSON.', error);
  }
  const items = typeof value === 'object' && value !== null && 'items' in value ? value.items : undefined;
  if (!Array.isArray(items)) throw invalid('The body is not an object with an array "items".');
  return items;
}

const invalid = (detail: string, cause?: unknown): TidegateError =>
  new TidegateError('grip_item_invalid', detail, { cause });
