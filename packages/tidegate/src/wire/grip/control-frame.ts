import { Buffer, isUtf8 } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { decodeTnetstring } from './tnetstring.ts';

const TNETSTRING = 0x54;
const JSON_TEXT = 0x4a;

/**
 * Reads a frame of the ZMQ sockets: `T` and a tnetstring, or `J` and JSON. The value is for `parsePublishItem`, which takes both.
 * @throws TidegateError grip_item_invalid
 */
export function decodeControlFrame(frame: Uint8Array, limits: Limits): unknown {
  if (frame[0] === TNETSTRING) return decodeTnetstring(frame.subarray(1), limits);
  if (frame[0] !== JSON_TEXT) throw fault('begins with neither T nor J.');
  if (frame.length > limits.gripFrameBytesMax) {
    throw fault(`has ${frame.length} bytes; the limit is ${limits.gripFrameBytesMax}.`);
  }
  if (!isUtf8(frame)) throw fault('is not UTF-8.');
  try {
    return JSON.parse(Buffer.from(frame.buffer, frame.byteOffset + 1, frame.length - 1).toString('utf8'));
  } catch (error) {
    throw fault('is not JSON.', error);
  }
}

function fault(problem: string, cause?: unknown): TidegateError {
  return new TidegateError('grip_item_invalid', `The message ${problem}`, { cause });
}
