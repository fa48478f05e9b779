import type { Buffer } from 'node:buffer';
import { ByteReader, type ByteWriter, type ErrorCode, TidegateError } from '../kernel/index.ts';
import type { PublishedEvent, PublishReceipt } from './port.ts';

/** How events and what became of them are said from process to process. */

const HAS_DATA = 1 << 0;
const HAS_CLIENT_ID = 1 << 1;
const HAS_RENDERINGS = 1 << 4;
const IS_CONTROL = 1 << 5;
const KIND_FROM = 2;
const KIND_MASK = 3;
const KINDS = ['binary', 'text', 'json'] as const;

const STORED = 0;
const DUPLICATE = 1;
const REFUSED = 2;
const REFUSED_FOR_NOW = 3;

/** What was published at once, over which protocol. */
export interface Publication {
  readonly protocol: string;
  readonly events: readonly PublishedEvent[];
}

export function writePublication(events: readonly PublishedEvent[], protocol: string, out: ByteWriter): void {
  out.text(protocol);
  out.uint32(events.length);
  for (const event of events) {
    const { channel, data, dataKind, attributes, clientId, identitySource, renderings } = event;
    const has =
      (data === null ? 0 : HAS_DATA) |
      (clientId === null ? 0 : HAS_CLIENT_ID) |
      (renderings === undefined ? 0 : HAS_RENDERINGS) |
      (event.kind === 'control' ? IS_CONTROL : 0);
    out.byte(has | (KINDS.indexOf(dataKind) << KIND_FROM));
    out.text(channel);
    if (data !== null) out.blob(data);
    if (clientId !== null) out.text(clientId);
    if (renderings !== undefined) out.text(renderings);
    out.text(identitySource);
    out.uint32(attributes.length);
    for (const [name, value] of attributes) {
      out.text(name);
      out.text(value);
    }
  }
}

/** The data of the events are views into `bytes`. */
export function readPublication(bytes: Buffer): Publication {
  const reader = new ByteReader(bytes);
  const protocol = reader.text();
  const events: PublishedEvent[] = new Array(reader.uint32());
  for (let i = 0; i < events.length; i++) events[i] = readEvent(reader);
  return { protocol, events };
}

function readEvent(reader: ByteReader): PublishedEvent {
  const flags = reader.byte();
  const channel = reader.text();
  const data = (flags & HAS_DATA) === 0 ? null : reader.blob();
  const clientId = (flags & HAS_CLIENT_ID) === 0 ? null : reader.text();
  const renderings = (flags & HAS_RENDERINGS) === 0 ? {} : { renderings: reader.text() };
  const kind = (flags & IS_CONTROL) === 0 ? {} : { kind: 'control' as const };
  const identitySource = reader.text();
  const attributes: [string, string][] = new Array(reader.uint32());
  for (let i = 0; i < attributes.length; i++) attributes[i] = [reader.text(), reader.text()];
  const dataKind = KINDS[(flags >> KIND_FROM) & KIND_MASK];
  return { channel, data, dataKind, attributes, clientId, identitySource, ...renderings, ...kind };
}

/** One outcome for each event, in order. */
export function writeOutcomes(outcomes: readonly (PublishReceipt | TidegateError)[], out: ByteWriter): void {
  for (const outcome of outcomes) {
    if (outcome instanceof TidegateError) {
      const { code, detail, retryAfterMs } = outcome;
      out.byte(retryAfterMs === null ? REFUSED : REFUSED_FOR_NOW);
      out.text(code);
      out.text(detail);
      if (retryAfterMs !== null) out.float64(retryAfterMs);
    } else {
      out.byte(outcome.duplicate ? DUPLICATE : STORED);
      out.text(outcome.id);
      out.text(outcome.cursor);
    }
  }
}

/** @param events those whose outcomes these are */
export function readOutcomes(
  bytes: Buffer,
  events: readonly PublishedEvent[],
): readonly (PublishReceipt | TidegateError)[] {
  const reader = new ByteReader(bytes);
  return events.map(({ channel }) => {
    const kind = reader.byte();
    if (kind === STORED || kind === DUPLICATE)
      return { channel, id: reader.text(), cursor: reader.text(), duplicate: kind === DUPLICATE };
    const code = reader.text() as ErrorCode;
    const detail = reader.text();
    return new TidegateError(code, detail, kind === REFUSED ? {} : { retryAfterMs: reader.float64() });
  });
}
