import { Buffer, isUtf8 } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { contentInRecord } from './content-source.ts';
import { formatsOf } from './format-members.ts';
import { formatElement } from './header-parameters.ts';
import { Members } from './members.ts';
import { textOfOctets } from './octets.ts';
import type { ContentFilters, PublishFormats } from './publish-format.ts';

/** Data that are shorter cost less when they are written again than when they are referred to. */
const REFERRED_FROM_BYTES = 8;

/** Members of a format, as an item has them. */
type Stored = Record<string, unknown>;

/**
 * Formats as one text, for an attribute of the record that has `data`. Content that is the data, or has them in it, refers to
 * them: of an SSE event around the data, only what is around is written.
 */
export function encodeFormats(formats: PublishFormats, data: Uint8Array): string {
  const { httpResponse, httpStream, webSocketMessage } = formats;
  const stored: Stored = {};
  if (httpResponse?.action === 'send') {
    const { code, reason, headers, exposeHeaders, body, bodyPatch, contentFilters } = httpResponse;
    stored['http-response'] = {
      ...(code !== 200 && { code }),
      ...(reason !== null && { reason: textOfOctets(reason) }),
      ...((headers.length > 0 || exposeHeaders.length > 0) && {
        headers: [
          ...headers.map(([name, value]) => [name, textOfOctets(value)]),
          ...exposeHeaders.map((name) => ['Grip-Expose-Headers', textOfOctets(formatElement(name, []))]),
        ],
      }),
      ...(body === null ? { 'body-patch': bodyPatch } : storedContent('body', body, data)),
      ...storedFilters(contentFilters),
    };
  } else if (httpResponse !== null) {
    stored['http-response'] = httpResponse;
  }
  if (httpStream?.action === 'send') {
    const { content, contentFilters } = httpStream;
    stored['http-stream'] = { ...storedContent('content', content, data), ...storedFilters(contentFilters) };
  } else if (httpStream !== null) {
    stored['http-stream'] = httpStream;
  }
  if (webSocketMessage?.action === 'send') {
    const { type, content, contentFilters } = webSocketMessage;
    stored['ws-message'] = {
      type,
      ...storedContent('content', content, data),
      ...storedFilters(contentFilters),
    };
  } else if (webSocketMessage !== null) {
    stored['ws-message'] = webSocketMessage;
  }
  return JSON.stringify(stored);
}

/**
 * The formats that `encodeFormats` made a text of, with the data of the same record.
 * @throws TidegateError grip_item_invalid: whoever can publish with attributes can write anything into this one
 */
export function decodeFormats(text: string, data: Uint8Array, limits: Limits): PublishFormats {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch (error) {
    throw new TidegateError('grip_item_invalid', 'The stored formats are not JSON.', { cause: error });
  }
  return formatsOf(new Members(stored, '', 'grip_item_invalid'), contentInRecord(data), limits);
}

function storedFilters(contentFilters: ContentFilters): Stored {
  return contentFilters === null ? {} : { 'content-filters': contentFilters };
}

function storedContent(name: 'content' | 'body', content: Uint8Array, data: Uint8Array): Stored {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const at = data.length < REFERRED_FROM_BYTES ? -1 : bytes.indexOf(data);
  if (at !== -1) {
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + data.length)];
    if (isUtf8(before) && isUtf8(after)) {
      return { [`${name}-data`]: [before.toString('utf8'), after.toString('utf8')] };
    }
  }
  return isUtf8(bytes) ? { [name]: bytes.toString('utf8') } : { [`${name}-bin`]: bytes.toString('base64') };
}
