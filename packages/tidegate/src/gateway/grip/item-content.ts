import { Buffer, isUtf8 } from 'node:buffer';
import type { PublishedEvent } from '../../channels/index.ts';
import type { HttpResponseMessage, PublishFormats } from '../../wire/grip/index.ts';
import { type SseEvent, SseParser } from '../../wire/sse/index.ts';

/** What an item is to those who know nothing of GRIP. */
export interface ItemContent {
  readonly data: Uint8Array;
  readonly dataKind: PublishedEvent['dataKind'];
  /** The CloudEvents attributes that say what the data are. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
}

/** RFC 9110, section 8.3.1: type "/" subtype *( ";" parameter ), in printable ASCII. */
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*;[\t\x20-\x7e]*)?$/;

/**
 * The data of an item: the content for WebSockets, which is framed for nothing; else the body of the response; else the content of
 * the stream, of which the framing of a single server-sent event is taken off; else the patch of the body. Null if there is no content at all.
 */
export function contentOf(formats: PublishFormats): ItemContent | null {
  const { httpResponse, httpStream, webSocketMessage } = formats;
  const response = httpResponse?.action === 'send' ? httpResponse : null;
  if (webSocketMessage?.action === 'send') return responseLike(webSocketMessage.content, response);
  if (response !== null && response.body !== null) return responseLike(response.body, response);
  if (httpStream?.action === 'send') return streamContent(httpStream.content);
  if (response === null) return null;
  return {
    data: Buffer.from(JSON.stringify(response.bodyPatch), 'utf8'),
    dataKind: 'json',
    attributes: [['datacontenttype', 'application/json-patch+json']],
  };
}

/** Data that are the body of the response, too, are of its type. */
function responseLike(data: Uint8Array, response: HttpResponseMessage | null): ItemContent {
  const isBody = response !== null && response.body !== null && Buffer.compare(data, response.body) === 0;
  const type = isBody ? contentTypeOf(response) : null;
  return {
    data,
    dataKind: dataKindOf(data),
    attributes: type === null ? [] : [['datacontenttype', type]],
  };
}

function contentTypeOf({ headers }: HttpResponseMessage): string | null {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  return type !== undefined && MEDIA_TYPE.test(type) ? type : null;
}

function streamContent(content: Uint8Array): ItemContent {
  const event = singleSseEvent(content);
  if (event === null) return { data: content, dataKind: dataKindOf(content), attributes: [] };
  const data = Buffer.from(event.data, 'utf8');
  const { name } = event;
  const isType = name !== 'message' && !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(name);
  return { data, dataKind: dataKindOf(data), attributes: isType ? [['type', name]] : [] };
}

const ENDS_EVENT = /(?:\r\n|\r|\n)(?:\r\n|\r|\n)$/;

/** The event that the content is, with nothing before and behind it; null if it is anything else. */
function singleSseEvent(content: Uint8Array): SseEvent | null {
  if (!isUtf8(content)) return null;
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString('utf8');
  if (!text.includes('data') || !ENDS_EVENT.test(text)) return null;
  const events: SseEvent[] = [];
  new SseParser({ event: (event) => events.push(event) }, Number.POSITIVE_INFINITY).push(content);
  return events.length === 1 ? events[0] : null;
}

function dataKindOf(data: Uint8Array): PublishedEvent['dataKind'] {
  if (!isUtf8(data)) return 'binary';
  try {
    JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.length).toString('utf8'));
    return 'json';
  } catch {
    return 'text';
  }
}
