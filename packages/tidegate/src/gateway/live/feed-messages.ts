import { Buffer } from 'node:buffer';
import { ByteReader, ByteWriter, type ErrorCode, TidegateError } from '../../kernel/index.ts';
import type { Failure } from './failure.ts';
import type { LiveRoute, OriginFields, OriginResponse } from './port.ts';
import type { VersionStep } from './version-ring.ts';

/*
 * What the processes of a server say to each other about live values, on the subject `live`. A worker numbers the feeds that it wants from
 * the owner, each of one value; a number is never used twice. It tells `FeedWish`es as JSON. The owner asks it to take news, cut into pieces: of each
 * message, every piece but the last begins with MORE, and the last one with LAST. All answers are empty, and mean that the piece has been read.
 */

export const MORE = 0;
export const LAST = 1;

/** What a worker tells the owner. */
export type FeedWish =
  | ({ readonly kind: 'open'; readonly feed: number } & FeedRequest)
  /** The route has changed, and not so much that it were another value. */
  | { readonly kind: 'use'; readonly feed: number; readonly pattern: string; readonly path: string }
  | { readonly kind: 'close'; readonly feed: number };

/** Which value a worker wants. */
export interface FeedRequest {
  readonly key: string;
  readonly route: Pick<LiveRoute, 'name' | 'everyMs' | 'mode'>;
  readonly pattern: string;
  readonly path: string;
  readonly target: string;
  /** What polls say besides their conditions. */
  readonly headers: OriginFields;
  /** The id of the version that the worker has; empty for none. */
  readonly known: string;
}

/** What brings a worker to the present of a value. */
export interface FeedNews {
  readonly feed: number;
  /** Why the last poll brought nothing; null if it did. */
  readonly failure: Failure | null;
  readonly tag: string | null;
  /** None if the value is the one that the worker has. */
  readonly steps: readonly VersionStep[];
  /** The value, if there are steps to it. */
  readonly text: string;
}

const out = new ByteWriter(1024, 64 * 1024);

export function writeFeedNews({ feed, failure, tag, steps, text }: FeedNews): Buffer {
  out.float64(feed);
  writeOptional(tag);
  writeFailure(failure);
  out.uint32(steps.length);
  for (const { id, patch } of steps) {
    out.text(id);
    writeOptional(patch);
  }
  if (steps.length > 0) out.text(text);
  return out.take();
}

export function readFeedNews(bytes: Buffer): FeedNews {
  const reader = new ByteReader(bytes);
  const feed = reader.float64();
  const tag = readOptional(reader);
  const failure = readFailure(reader);
  const steps: VersionStep[] = [];
  for (let left = reader.uint32(); left > 0; left--) {
    steps.push({ id: reader.text(), patch: readOptional(reader) });
  }
  return { feed, failure, tag, steps, text: steps.length > 0 ? reader.text() : '' };
}

/** A failure, but for the bytes of the body. */
interface FailureHead extends Pick<Failure, 'kind' | 'sameness' | 'problem' | 'retryAfterMs'> {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errorRetryAfterMs: number | null;
  readonly response: Pick<OriginResponse, 'status' | 'headers'> | null;
}

function writeFailure(failure: Failure | null): void {
  if (failure === null) {
    writeOptional(null);
    return;
  }
  const { error, kind, sameness, problem, retryAfterMs, response } = failure;
  const { code, detail, retryAfterMs: errorRetryAfterMs } = error;
  const answered = response === null ? null : { status: response.status, headers: response.headers };
  const head: FailureHead = {
    code,
    detail,
    errorRetryAfterMs,
    kind,
    sameness,
    problem,
    retryAfterMs,
    response: answered,
  };
  writeOptional(JSON.stringify(head));
  if (response !== null) out.blob(response.body);
}

function readFailure(reader: ByteReader): Failure | null {
  const text = readOptional(reader);
  if (text === null) return null;
  const { code, detail, errorRetryAfterMs, response, ...rest } = JSON.parse(text) as FailureHead;
  const options = errorRetryAfterMs === null ? {} : { retryAfterMs: errorRetryAfterMs };
  return {
    ...rest,
    error: new TidegateError(code, detail, options),
    // A copy, so that it does not hold on to the whole message.
    response: response === null ? null : { ...response, body: Buffer.from(reader.blob()) },
  };
}

function writeOptional(text: string | null): void {
  out.byte(text === null ? 0 : 1);
  if (text !== null) out.text(text);
}

function readOptional(reader: ByteReader): string | null {
  return reader.byte() === 0 ? null : reader.text();
}
