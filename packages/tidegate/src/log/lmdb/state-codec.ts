import { Buffer } from 'node:buffer';
import { EMPTY_PARTITION, type PartitionState } from '../partition.ts';
import type { StoredTopic } from '../topic-state.ts';

const STATE_BYTES = 56;
/** Where the count of merges is, which states from before it was kept have not. */
const AT_MERGES = 48;

/** Seven little-endian f64, in the order of `PartitionState`. */
export function encodePartitionState(state: PartitionState): Buffer {
  const bytes = Buffer.allocUnsafeSlow(STATE_BYTES);
  bytes.writeDoubleLE(state.start, 0);
  bytes.writeDoubleLE(state.end, 8);
  bytes.writeDoubleLE(state.bytes, 16);
  bytes.writeDoubleLE(state.records, 24);
  bytes.writeDoubleLE(state.maxTimestampMs, 32);
  bytes.writeDoubleLE(state.cleanedTo, 40);
  bytes.writeDoubleLE(state.merges, AT_MERGES);
  return bytes;
}

export function decodePartitionState(bytes: Buffer | undefined): PartitionState {
  if (bytes === undefined) return EMPTY_PARTITION;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    start: view.getFloat64(0, true),
    end: view.getFloat64(8, true),
    bytes: view.getFloat64(16, true),
    records: view.getFloat64(24, true),
    maxTimestampMs: view.getFloat64(32, true),
    cleanedTo: view.getFloat64(40, true),
    merges: bytes.length < STATE_BYTES ? 0 : view.getFloat64(AT_MERGES, true),
  };
}

export function encodeTopic(stored: StoredTopic): Buffer {
  return Buffer.from(JSON.stringify(stored), 'utf8');
}

export function decodeTopic(bytes: Uint8Array): StoredTopic {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as StoredTopic;
}
