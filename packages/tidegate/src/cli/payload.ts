import { Buffer, isUtf8 } from 'node:buffer';

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

/** The payload as members of an entry of `POST /v1/publish`: JSON as it is written, text as a string, bytes in base64. */
function dataMembers({ bytes, contentType }: Payload): string {
  const type = `"datacontenttype":${JSON.stringify(contentType)}`;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = isUtf8(buffer) ? buffer.toString('utf8') : null;
  if (text === null) return `${type},"data_base64":"${buffer.toString('base64')}"`;
  // What claims to be JSON and is not is left to the server to refuse; here it would break the entry around it.
  const data =
    JSON_TYPE.test(contentType) && isJson(text) ? text.replaceAll(/[\r\n]/g, ' ') : JSON.stringify(text);
  return `${type},"data":${data}`;
}

/** An entry of `POST /v1/publish` on one line, so that several of them can be sent as lines. */
export function entryOf(
  channel: string,
  attributes: Readonly<Record<string, string | undefined>>,
  payload: Payload,
): string {
  const given = JSON.stringify({ channel, ...attributes });
  return `${given.slice(0, -1)},${dataMembers(payload)}}`;
}
