import { Buffer, isUtf8 } from 'node:buffer';
import { TidegateError } from '../kernel/index.ts';

/** What is published: the bytes as they are, and what they are. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

const JSON_TYPE = /^[^/]+\/([^/;]+\+)?json\s*(;|$)/i;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A payload under the given content type, or under the one that fits: JSON, other text, or bytes. */
export function payloadOf(bytes: Uint8Array, contentType: string | undefined): Payload {
  if (contentType !== undefined) return { bytes, contentType };
  if (!isUtf8(bytes)) return { bytes, contentType: 'application/octet-stream' };
  const text = Buffer.from(bytes).toString('utf8');
  return { bytes, contentType: isJson(text) ? 'application/json' : 'text/plain; charset=utf-8' };
}

/**
 * The payload as members of an entry of `POST /v1/publish`: JSON as it is written, text as a string, bytes in base64.
 * @throws TidegateError json_malformed if it claims to be JSON and is not
 */
function dataMembers({ bytes, contentType }: Payload): string {
  const type = `"datacontenttype":${JSON.stringify(contentType)}`;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = isUtf8(buffer) ? buffer.toString('utf8') : null;
  if (JSON_TYPE.test(contentType)) {
    if (text === null || !isJson(text))
      throw new TidegateError('json_malformed', shorten(text ?? 'bytes that are not UTF-8'));
    // Line breaks between tokens mean nothing, and would end the entry.
    return `${type},"data":${text.replaceAll(/[\r\n]/g, ' ')}`;
  }
  return text === null
    ? `${type},"data_base64":"${buffer.toString('base64')}"`
    : `${type},"data":${JSON.stringify(text)}`;
}

const shorten = (text: string): string =>
  JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 57)}...`);

/**
 * An entry of `POST /v1/publish` on one line, so that several of them can be sent as lines.
 * @throws TidegateError json_malformed
 */
export function entryOf(
  channel: string,
  attributes: Readonly<Record<string, string | undefined>>,
  payload: Payload,
): string {
  const given = JSON.stringify({ channel, ...attributes });
  return `${given.slice(0, -1)},${dataMembers(payload)}}`;
}
