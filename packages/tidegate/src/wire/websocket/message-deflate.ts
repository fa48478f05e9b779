import type { Buffer } from 'node:buffer';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

/** What ends a flushed deflate stream and is left out of a message (RFC 7692, section 7.2.1): 00 00 FF FF. */
const TAIL_BYTES = 4;

/** The least window that zlib can compress with; a client that asks for 8 gets no compression. */
export const WINDOW_BITS_MIN = 9;
export const WINDOW_BITS_MAX = 15;

const SCRATCH_BYTES_MIN = 256;
const SCRATCH_BYTES_MAX = 64 * 1024;

/**
 * Compresses one message by itself, with no context from earlier ones, so that the result fits every client of the same window.
 * @param windowBits 9 to 15: the client's window, as negotiated
 */
export function deflateMessage(bytes: Uint8Array, windowBits: number): Buffer {
  const flushed = deflateRawSync(bytes, {
    windowBits,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: scratchBytes(bytes.length),
  });
  return flushed.subarray(0, flushed.length - TAIL_BYTES);
}

/** Why a message could not be decompressed. */
export type InflateFailure = 'too_large' | 'invalid';

/**
 * Decompresses one message. The tail that the sender left out carries no data, so it is not put back.
 * Stops as soon as more than `bytesMax` bytes have come out.
 */
export function inflateMessage(compressed: Uint8Array, bytesMax: number): Buffer | InflateFailure {
  try {
    return inflateRawSync(compressed, {
      windowBits: WINDOW_BITS_MAX,
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: bytesMax,
      chunkSize: scratchBytes(compressed.length * 4),
    });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'invalid';
  }
}

/** How much zlib sets aside for output at a time: about what will be needed, as it is allocated for every message. */
function scratchBytes(expected: number): number {
  return Math.min(SCRATCH_BYTES_MAX, Math.max(SCRATCH_BYTES_MIN, expected));
}
