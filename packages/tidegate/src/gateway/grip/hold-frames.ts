import { Buffer } from 'node:buffer';
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { ContentFilters } from '../../wire/grip/index.ts';
import type { ResponseRendering, StreamRendering } from './rendered-item.ts';

/*
 * How items come to holds that look at each of them, because of filters or because they wait for one of a certain id: in the bytes that the
 * hub shares between them, each with what is known of it.
 */

/** What every frame tells. */
export interface ItemFrame {
  readonly id: string;
  /** The id of the item before it; null if its publisher did not say. */
  readonly prevId: string | null;
  readonly channel: string;
  /** The position of the record in its partition. */
  readonly offset: number;
  /** What filters know of the item. */
  readonly meta: ReadonlyMap<string, string>;
  readonly contentFilters: ContentFilters;
}

/** Content for a stream; null if the item has none. */
export interface StreamFrame extends ItemFrame {
  readonly content: Buffer | null;
}

/** An answer to those who hold a response; null if the item has none. */
export interface ResponseFrame extends ItemFrame {
  readonly answer: PublishedAnswer | null;
}

/** What is put in place of a held response. */
export interface PublishedAnswer {
  /** Null for that of the held response, whose reason then stands, too. */
  readonly code: number | null;
  /** Empty for the usual one of the code. */
  readonly reason: string;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** In lower case; empty if all fields are relayed. */
  readonly exposed: readonly string[];
  /** The bytes of the body, or the operations of a JSON patch of the held one. */
  readonly body:
    | { readonly kind: 'whole'; readonly bytes: Buffer }
    | { readonly kind: 'patch'; readonly json: Buffer };
}

const NONE = 0;
const WHOLE = 1;
const PATCH = 2;
const ALL_FILTERS = 0;
const NO_META: ReadonlyMap<string, string> = new Map();

interface FrameHead {
  readonly id: string;
  readonly prevId: string | null;
  readonly channel: string;
  readonly offset: number;
  readonly meta: ReadonlyMap<string, string>;
}

export function writeStreamFrame(out: ByteWriter, head: FrameHead, rendering: StreamRendering | null): void {
  writeHead(out, head, rendering?.contentFilters ?? null);
  out.byte(rendering === null ? NONE : WHOLE);
  if (rendering !== null) out.blob(rendering.content);
}

export function readStreamFrame(reader: ByteReader): StreamFrame {
  const head = readHead(reader);
  return { ...head, content: reader.byte() === NONE ? null : reader.blob() };
}

export function writeResponseFrame(
  out: ByteWriter,
  head: FrameHead,
  rendering: ResponseRendering | null,
): void {
  const message = rendering?.kind === 'item' ? rendering.message : null;
  writeHead(out, head, message?.contentFilters ?? null);
  if (rendering === null) {
    out.byte(NONE);
    return;
  }
  if (rendering.kind === 'plain') {
    out.byte(WHOLE);
    out.uint32(0);
    out.text('');
    writeTexts(out, rendering.contentType === null ? [] : ['Content-Type', rendering.contentType]);
    writeTexts(out, []);
    out.blob(rendering.body);
    return;
  }
  const { code, reason, headers, exposeHeaders, body, bodyPatch } = rendering.message;
  out.byte(body === null ? PATCH : WHOLE);
  out.uint32(code);
  out.text(reason ?? '');
  writeTexts(out, headers.flat());
  writeTexts(out, exposeHeaders);
  out.blob(body ?? Buffer.from(JSON.stringify(bodyPatch), 'utf8'));
}

export function readResponseFrame(reader: ByteReader): ResponseFrame {
  const head = readHead(reader);
  const kind = reader.byte();
  if (kind === NONE) return { ...head, answer: null };
  const code = reader.uint32();
  const reason = reader.text();
  const fields = readTexts(reader);
  const exposed = readTexts(reader);
  const bytes = reader.blob();
  const body =
    kind === PATCH ? ({ kind: 'patch', json: bytes } as const) : ({ kind: 'whole', bytes } as const);
  return { ...head, answer: { code: code === 0 ? null : code, reason, fields, exposed, body } };
}

function writeHead(
  out: ByteWriter,
  { id, prevId, channel, offset, meta }: FrameHead,
  contentFilters: ContentFilters,
): void {
  out.text(id);
  // No id is empty.
  out.text(prevId ?? '');
  out.text(channel);
  out.float64(offset);
  writeTexts(out, [...meta].flat());
  out.uint32(contentFilters === null ? ALL_FILTERS : contentFilters.length + 1);
  for (const filter of contentFilters ?? []) out.text(filter);
}

function readHead(reader: ByteReader): ItemFrame {
  const id = reader.text();
  const prevId = reader.text() || null;
  const channel = reader.text();
  const offset = reader.float64();
  const turns = readTexts(reader);
  const filters = reader.uint32();
  return {
    id,
    prevId,
    channel,
    offset,
    meta: turns.length === 0 ? NO_META : mapOf(turns),
    contentFilters: filters === ALL_FILTERS ? null : Array.from({ length: filters - 1 }, () => reader.text()),
  };
}

function mapOf(turns: readonly string[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (let at = 0; at < turns.length; at += 2) map.set(turns[at], turns[at + 1]);
  return map;
}

function writeTexts(out: ByteWriter, texts: readonly string[]): void {
  out.uint32(texts.length);
  for (const text of texts) out.text(text);
}

function readTexts(reader: ByteReader): string[] {
  return Array.from({ length: reader.uint32() }, () => reader.text());
}
