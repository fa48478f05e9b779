import { Buffer, isUtf8 } from 'node:buffer';
import type { Payload } from './protocol.ts';

/** A JSON value as a payload. */
export function jsonPayload(value: unknown): Payload {
  return { bytes: Buffer.from(JSON.stringify(value)), kind: 'json' };
}

/**
 * What bytes of a protobuf client are. The protocol says nothing about it, and its clients mostly send JSON: what can be read as JSON
 * is JSON, so that JSON clients get it as a value.
 */
export function payloadOfBytes(bytes: Uint8Array): Payload {
  if (!isUtf8(bytes)) return { bytes, kind: 'binary' };
  try {
    JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
    return { bytes, kind: 'json' };
  } catch {
    return { bytes, kind: 'text' };
  }
}
