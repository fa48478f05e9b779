import { Buffer } from 'node:buffer';
import { type ByteWriter, EMPTY } from '../../kernel/index.ts';
import { CLOSE, CLOSE_REASON_BYTES_MAX } from './close-codes.ts';
import { applyMask } from './mask.ts';
import {
  FIN,
  LENGTH_16,
  LENGTH_16_MAX,
  LENGTH_64,
  MASKED,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
  RSV1,
} from './opcodes.ts';

/** The first byte of a frame: its opcode, whether it is the last of its message, whether the message is compressed. */
export const TEXT_FRAME = FIN | OPCODE_TEXT;
export const BINARY_FRAME = FIN | OPCODE_BINARY;
export const COMPRESSED_TEXT_FRAME = TEXT_FRAME | RSV1;
export const COMPRESSED_BINARY_FRAME = BINARY_FRAME | RSV1;
export const CLOSE_FRAME = FIN | OPCODE_CLOSE;
export const PING_FRAME = FIN | OPCODE_PING;
export const PONG_FRAME = FIN | OPCODE_PONG;
/** Fragments: a first frame that others follow, one between, and the last. */
export const TEXT_BEGINS = OPCODE_TEXT;
export const BINARY_BEGINS = OPCODE_BINARY;
export const CONTINUES = OPCODE_CONTINUATION;
export const CONTINUATION_ENDS = FIN | OPCODE_CONTINUATION;

/**
 * Appends a frame as servers send it, without mask, with the payload `bytes[start, end)` (RFC 6455, section 5.2):
 *
 *     first byte | 0, length (7 bits) | 2 or 8 more bytes of length | payload
 */
export function writeFrame(
  out: ByteWriter,
  firstByte: number,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): void {
  writeHead(out, firstByte, 0, end - start);
  out.bytes(bytes, start, end);
}

/**
 * Appends a frame as clients send it.
 * @param key the masking key, 32 bits that nobody can predict (RFC 6455, section 5.3)
 */
export function writeMaskedFrame(out: ByteWriter, firstByte: number, bytes: Uint8Array, key: number): void {
  writeHead(out, firstByte, MASKED, bytes.length);
  const target = out.reserve(4);
  target.writeUInt32BE(key >>> 0, out.length);
  out.advance(4);
  const begin = out.length;
  out.bytes(bytes);
  applyMask(out.reserve(0), begin, out.length, key, 0);
}

function writeHead(out: ByteWriter, firstByte: number, maskBit: number, length: number): void {
  const target = out.reserve(10);
  out.advance(putHead(target, out.length, firstByte, maskBit, length));
}

/** Writes a head, without mask key, and returns its length. */
function putHead(target: Buffer, at: number, firstByte: number, maskBit: number, length: number): number {
  target[at] = firstByte;
  if (length < LENGTH_16) {
    target[at + 1] = maskBit | length;
    return 2;
  }
  if (length <= LENGTH_16_MAX) {
    target[at + 1] = maskBit | LENGTH_16;
    target.writeUInt16BE(length, at + 2);
    return 4;
  }
  target[at + 1] = maskBit | LENGTH_64;
  target.writeUInt32BE(Math.floor(length / 0x1_0000_0000), at + 2);
  target.writeUInt32BE(length >>> 0, at + 6);
  return 10;
}

function headBytes(length: number): number {
  if (length < LENGTH_16) return 2;
  return length <= LENGTH_16_MAX ? 4 : 10;
}

/** The room that `openFrame` leaves: the head of a payload of 126 to 65,535 bytes, as most rendered messages are. */
const OPEN_HEAD_BYTES = 4;

/** Begins a frame whose payload is written to `out` next, by whatever renders it. Returns the mark for `sealFrame`. */
export function openFrame(out: ByteWriter): number {
  const mark = out.length;
  out.reserve(OPEN_HEAD_BYTES);
  out.advance(OPEN_HEAD_BYTES);
  return mark;
}

/** Ends the frame that `openFrame` began: all that was written since is its payload. */
export function sealFrame(out: ByteWriter, mark: number, firstByte: number): void {
  const begin = mark + OPEN_HEAD_BYTES;
  const length = out.length - begin;
  const shift = headBytes(length) - OPEN_HEAD_BYTES;
  const target = out.reserve(Math.max(shift, 0));
  if (shift !== 0) {
    target.copyWithin(begin + shift, begin, out.length);
    if (shift > 0) out.advance(shift);
    else out.truncate(out.length + shift);
  }
  putHead(target, mark, firstByte, 0, length);
}

/** One frame of its own, as servers send it. */
export function encodeFrame(firstByte: number, payload: Uint8Array = EMPTY): Buffer {
  const head = headBytes(payload.length);
  const frame = Buffer.allocUnsafe(head + payload.length);
  putHead(frame, 0, firstByte, 0, payload.length);
  frame.set(payload, head);
  return frame;
}

/** The payload of a close frame; nothing for 1005. A reason that is too long is cut between characters. */
export function closePayload(code: number, reason = ''): Buffer {
  if (code === CLOSE.noStatus) return EMPTY;
  const payload = Buffer.alloc(2 + CLOSE_REASON_BYTES_MAX);
  payload.writeUInt16BE(code, 0);
  // `write` leaves out a character that does not fit whole.
  const written = payload.write(reason, 2, 'utf8');
  return payload.subarray(0, 2 + written);
}

/** A close frame as servers send it. */
export function encodeCloseFrame(code: number, reason = ''): Buffer {
  return encodeFrame(CLOSE_FRAME, closePayload(code, reason));
}
