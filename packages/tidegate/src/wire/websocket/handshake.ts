import { createHash } from 'node:crypto';
import { TidegateError } from '../../kernel/index.ts';
import { parseExtensions } from './extension-header.ts';
import { type DeflateAgreement, negotiateDeflate } from './negotiate-deflate.ts';

/** What a handshake is judged by: the request line and the header fields. */
export interface HandshakeRequest {
  readonly method: string;
  /** The minor version of HTTP/1. */
  readonly minorVersion: number;
  readonly headers: {
    all(name: string): readonly string[];
  };
}

export interface HandshakeOptions {
  /** Subprotocols that the server speaks. The client's first that is among them is chosen; none otherwise. */
  readonly subprotocols: readonly string[];
  /** Whether permessage-deflate is agreed to if it is offered. */
  readonly compression: 'none' | 'deflate';
}

/** What was agreed on. */
export interface Handshake {
  /** The header fields of the 101 response besides Connection. */
  readonly headers: Readonly<Record<string, string>>;
  readonly subprotocol: string | null;
  readonly deflate: DeflateAgreement | null;
}

/** The only version there is (RFC 6455, section 4.1); to be named when another is refused (section 4.4). */
export const WEBSOCKET_VERSION = '13';

/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Judges the opening handshake of a client (RFC 6455, sections 4.2.1 and 4.2.2).
 * @throws TidegateError upgrade_invalid
 */
export function acceptHandshake(request: HandshakeRequest, options: HandshakeOptions): Handshake {
  const { headers } = request;
  if (request.method !== 'GET') throw invalid('the method must be GET');
  if (request.minorVersion < 1) throw invalid('the HTTP version must be 1.1');
  if (!hasToken(headers.all('upgrade'), 'websocket')) throw invalid('Upgrade must be websocket');
  if (!hasToken(headers.all('connection'), 'upgrade'))
    throw invalid('Connection must have the option Upgrade');
  if (single(headers.all('sec-websocket-version')) !== WEBSOCKET_VERSION) {
    throw invalid(`Sec-WebSocket-Version must be ${WEBSOCKET_VERSION}`);
  }
  const key = single(headers.all('sec-websocket-key'));
  if (key === null || !KEY.test(key)) throw invalid('Sec-WebSocket-Key must be 16 bytes in base64');

  const subprotocol = chooseSubprotocol(headers.all('sec-websocket-protocol'), options.subprotocols);
  const deflate = chooseDeflate(headers.all('sec-websocket-extensions'), options.compression);
  const answer: Record<string, string> = { upgrade: 'websocket', 'sec-websocket-accept': acceptKey(key) };
  if (subprotocol !== null) answer['sec-websocket-protocol'] = subprotocol;
  if (deflate !== null) answer['sec-websocket-extensions'] = deflate.header;
  return { headers: answer, subprotocol, deflate };
}

/** The value of Sec-WebSocket-Accept that proves that the handshake was understood (RFC 6455, section 4.2.2). */
export function acceptKey(key: string): string {
  return createHash('sha1').update(key).update(KEY_SUFFIX).digest('base64');
}

function chooseSubprotocol(fields: readonly string[], known: readonly string[]): string | null {
  if (fields.length === 0) return null;
  const offered = listOf(fields);
  if (offered.length === 0 || !offered.every((name) => TOKEN.test(name))) {
    throw invalid('Sec-WebSocket-Protocol must be a list of tokens');
  }
  if (new Set(offered).size !== offered.length) throw invalid('Sec-WebSocket-Protocol names one twice');
  return offered.find((name) => known.includes(name)) ?? null;
}

function chooseDeflate(fields: readonly string[], compression: 'none' | 'deflate'): DeflateAgreement | null {
  if (fields.length === 0) return null;
  const offers = parseExtensions(fields.join(','));
  if (offers === null) throw invalid('Sec-WebSocket-Extensions is malformed');
  return compression === 'deflate' ? negotiateDeflate(offers) : null;
}

function hasToken(fields: readonly string[], token: string): boolean {
  return listOf(fields).some((element) => element.toLowerCase() === token);
}

/** The elements of a comma-separated header that may be split over several fields (RFC 9110, section 5.6.1). */
function listOf(fields: readonly string[]): readonly string[] {
  return fields
    .join(',')
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
}

function single(fields: readonly string[]): string | null {
  return fields.length === 1 ? fields[0] : null;
}

function invalid(detail: string): TidegateError {
  return new TidegateError('upgrade_invalid', detail);
}
