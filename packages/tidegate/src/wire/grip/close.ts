import { Buffer } from 'node:buffer';

/** How a WebSocket is closed. */
export interface Close {
  /** Null for a close frame without a code, and then without a reason. */
  readonly code: number | null;
  readonly reason: string;
}

/** Stands for a close frame without a code (RFC 6455, section 7.4.1). */
const NO_STATUS = 1005;
const NORMAL = 1000;
/** What a close frame has room for after its code (RFC 6455, section 5.5). */
const REASON_BYTES_MAX = 123;

/**
 * A close that is allowed on the wire (RFC 6455, section 7.4). Codes that are not, such as the 0 that origins send when they mean
 * none in particular, become 1000: clients that get them fail the connection as broken. A reason that is too long is cut at a
 * character.
 */
export function allowedClose(code: number | null, reason: string): Close {
  if ((code === null || code === NO_STATUS) && reason === '') return { code: null, reason: '' };
  return { code: code !== null && mayBeSent(code) ? code : NORMAL, reason: cut(reason) };
}

function mayBeSent(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  if (code < 1000 || code > 1014) return false;
  return code !== 1004 && code !== NO_STATUS && code !== 1006;
}

function cut(reason: string): string {
  if (reason.length * 3 <= REASON_BYTES_MAX) return reason;
  const bytes = Buffer.from(reason, 'utf8');
  let end = Math.min(bytes.length, REASON_BYTES_MAX);
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
