import { type Buffer, isUtf8 } from 'node:buffer';
import type { PublishedEvent } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import { type Attribute, assertAttribute, attributeInvalid } from './attributes.ts';
import { type ContentType, parseContentType } from './content-type.ts';
import { assertJsonText } from './json-scan.ts';

/** Half of the identity of events whose publisher named no source; a credential takes its place where there is one. */
export const NO_SOURCE = '';

const NO_ATTRIBUTES: readonly Attribute[] = [];
/** The draft's syntax is a quoted string (RFC 8941, section 3.3.3); most clients send the bare token. */
const QUOTED_KEY = /^"([^"\\]*)"$/;

/** What a request that publishes its body as one event gives besides the body. */
export interface BodyHead {
  readonly channel: string;
  readonly contentType: ContentType | null;
  /** The attributes of the CloudEvents binary mode; null if the request is not in that mode. */
  readonly cloudEvent: readonly Attribute[] | null;
  /** What `Idempotency-Key` says; null without one. */
  readonly idempotencyKey: string | null;
}

/**
 * Reads what is to be known before the body comes.
 * @throws TidegateError http_media_type_unsupported, event_invalid
 */
export function readBodyHead(
  channel: string,
  contentType: string | undefined,
  cloudEvent: readonly Attribute[] | null,
  idempotencyKey: string | undefined,
): BodyHead {
  const key = idempotencyKey === undefined ? null : unquote(idempotencyKey);
  if (key !== null) {
    assertAttribute('id', key);
    const id = cloudEvent?.find(([name]) => name === 'id')?.[1];
    if (id !== undefined && id !== key) throw attributeInvalid('id', 'differs from Idempotency-Key');
  }
  return {
    channel,
    contentType: contentType === undefined ? null : parseContentType(contentType),
    cloudEvent,
    idempotencyKey: key,
  };
}

function unquote(header: string): string {
  return QUOTED_KEY.exec(header)?.[1] ?? header;
}

/**
 * What the body is, by its content type.
 * @throws TidegateError json_malformed, utf8_invalid
 */
function dataKindOf(contentType: ContentType | null, body: Buffer): PublishedEvent['dataKind'] {
  const rule = contentType === null ? 'maybe text' : contentType.rule;
  if (rule === 'binary') return 'binary';
  if (!isUtf8(body)) {
    if (rule === 'maybe text') return 'binary';
    throw new TidegateError(
      'utf8_invalid',
      `The body is not UTF-8, which ${contentType?.mediaType} is taken to be`,
    );
  }
  if (rule !== 'json') return 'text';
  assertJsonText(body, 0, body.length);
  return 'json';
}

function attributesOf(head: BodyHead): readonly Attribute[] {
  const { contentType, cloudEvent, idempotencyKey } = head;
  const ofContentType = contentType === null ? NO_ATTRIBUTES : contentType.attributes;
  if (cloudEvent !== null) return [...cloudEvent, ...ofContentType];
  return idempotencyKey === null ? ofContentType : [['id', idempotencyKey], ...ofContentType];
}

/**
 * The event whose data is the body. A request with neither a body nor a content type is an event without data.
 * @throws TidegateError json_malformed, utf8_invalid
 */
export function eventOfBody(head: BodyHead, body: Buffer): PublishedEvent {
  const attributes = attributesOf(head);
  const { cloudEvent } = head;
  const nothing = body.length === 0 && head.contentType === null;
  return {
    channel: head.channel,
    data: nothing ? null : body,
    dataKind: nothing ? 'binary' : dataKindOf(head.contentType, body),
    attributes,
    clientId: cloudEvent === null ? head.idempotencyKey : attributeOf(cloudEvent, 'id'),
    identitySource: cloudEvent === null ? NO_SOURCE : (attributeOf(cloudEvent, 'source') ?? NO_SOURCE),
  };
}

function attributeOf(attributes: readonly Attribute[], wanted: string): string | null {
  for (const [name, value] of attributes) if (name === wanted) return value;
  return null;
}
