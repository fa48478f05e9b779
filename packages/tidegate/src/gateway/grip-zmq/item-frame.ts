import { type Buffer, isUtf8 } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { decodeTnetstring, type PublishItem, parsePublishItem } from '../../wire/grip/index.ts';

const JSON_FORMAT = 'J'.charCodeAt(0);
const TNETSTRING_FORMAT = 'T'.charCodeAt(0);

/**
 * Reads an item from one frame: `J` and JSON, or a tnetstring, with or without a `T` before it.
 * @param channel stands for the member `channel`, where the channel comes in a frame of its own
 * @throws TidegateError grip_item_invalid
 */
export function parseItemFrame(frame: Buffer, limits: Limits, channel: string | null = null): PublishItem {
  return parsePublishItem(valueIn(frame, limits), limits, channel);
}

function valueIn(frame: Buffer, limits: Limits): unknown {
  if (frame[0] !== JSON_FORMAT) {
    return decodeTnetstring(frame[0] === TNETSTRING_FORMAT ? frame.subarray(1) : frame, limits);
  }
  const json = frame.subarray(1);
  if (!isUtf8(json)) throw new TidegateError('grip_item_invalid', 'The message is not UTF-8.');
  try {
    return JSON.parse(json.toString('utf8'));
  } catch (error) {
    throw new TidegateError('grip_item_invalid', 'What follows J is not JSON.', { cause: error });
  }
}
