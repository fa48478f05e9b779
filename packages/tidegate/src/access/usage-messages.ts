import type { Buffer } from 'node:buffer';
import { ByteReader, ByteWriter } from '../kernel/index.ts';
import type { Granted } from './event-limits.ts';
import type { LimitOptions } from './options.ts';
import type { Share } from './port.ts';
import type { ShareLimit } from './share-limits.ts';

/*
 * What the processes of a server say to each other about usages, on the subject `usage`. The worker numbers the usages that it has; each
 * message begins with its kind and that number.
 */

/** What a worker tells. */
export type UsageNews =
  /** From now on, the number stands for the usage of this name. */
  | { readonly kind: 'open'; readonly id: number; readonly name: string; readonly limits: LimitOptions }
  /** Nobody of the worker needs it any more. */
  | { readonly kind: 'close'; readonly id: number }
  | ({ readonly kind: 'release'; readonly id: number } & Share);

/** What a worker asks for. */
export type UsageQuestion =
  /** As many shares as there are, up to `times`; answered with `Admitted`. */
  | ({ readonly kind: 'hold'; readonly id: number; readonly times: number } & Share)
  /** As much of the rate of publishing as there is; answered with `Granted`. */
  | { readonly kind: 'publish'; readonly id: number; readonly count: number }
  /** What subscribers have been handed since it was said last; answered with how long they have to wait, in milliseconds. */
  | { readonly kind: 'spent'; readonly id: number; readonly bytes: number };

/** How many shares the worker holds now, and which limit there were no more for. */
export interface Admitted {
  readonly times: number;
  readonly short: ShareLimit | null;
}

const NEWS = ['open', 'close', 'release'] as const;
const QUESTIONS = ['hold', 'publish', 'spent'] as const;
const SHORT = [null, 'connections', 'subscriptions'] as const;

/** Most messages are this small. */
const out = new ByteWriter(64, 1024);

export function writeNews(news: UsageNews): Buffer {
  out.byte(NEWS.indexOf(news.kind));
  out.uint32(news.id);
  switch (news.kind) {
    case 'open':
      out.text(news.name);
      out.text(JSON.stringify(news.limits));
      break;
    case 'release':
      out.uint32(news.connections);
      out.uint32(news.subscriptions);
      break;
    case 'close':
      break;
  }
  return out.take();
}

export function readNews(message: Buffer): UsageNews {
  const reader = new ByteReader(message);
  const kind = NEWS[reader.byte()];
  const id = reader.uint32();
  switch (kind) {
    case 'open':
      return { kind, id, name: reader.text(), limits: JSON.parse(reader.text()) };
    case 'release':
      return { kind, id, connections: reader.uint32(), subscriptions: reader.uint32() };
    case 'close':
      return { kind, id };
  }
}

export function writeQuestion(question: UsageQuestion): Buffer {
  out.byte(QUESTIONS.indexOf(question.kind));
  out.uint32(question.id);
  switch (question.kind) {
    case 'hold':
      out.uint32(question.times);
      out.uint32(question.connections);
      out.uint32(question.subscriptions);
      break;
    case 'publish':
      out.uint32(question.count);
      break;
    case 'spent':
      out.float64(question.bytes);
      break;
  }
  return out.take();
}

export function readQuestion(message: Buffer): UsageQuestion {
  const reader = new ByteReader(message);
  const kind = QUESTIONS[reader.byte()];
  const id = reader.uint32();
  switch (kind) {
    case 'hold':
      return {
        kind,
        id,
        times: reader.uint32(),
        connections: reader.uint32(),
        subscriptions: reader.uint32(),
      };
    case 'publish':
      return { kind, id, count: reader.uint32() };
    case 'spent':
      return { kind, id, bytes: reader.float64() };
  }
}

export function writeAdmitted({ times, short }: Admitted): Buffer {
  out.uint32(times);
  out.byte(SHORT.indexOf(short));
  return out.take();
}

export function readAdmitted(message: Buffer): Admitted {
  const reader = new ByteReader(message);
  return { times: reader.uint32(), short: SHORT[reader.byte()] };
}

export function writeGranted({ count, retryAfterMs }: Granted): Buffer {
  out.uint32(count);
  out.float64(retryAfterMs);
  return out.take();
}

export function readGranted(message: Buffer): Granted {
  const reader = new ByteReader(message);
  return { count: reader.uint32(), retryAfterMs: reader.float64() };
}

export function writeWait(waitMs: number): Buffer {
  out.float64(waitMs);
  return out.take();
}

export function readWait(message: Buffer): number {
  return new ByteReader(message).float64();
}
