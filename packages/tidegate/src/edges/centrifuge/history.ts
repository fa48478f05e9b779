import {
  type Channels,
  type FrameEncoder,
  hasWildcard,
  type StartPosition,
  type StreamPosition,
  singlePosition,
} from '../../channels/index.ts';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { readPage } from './page.ts';
import type { Request, Result } from './protocol.ts';
import { ERROR, type failure, protocolErrorOf } from './status.ts';

/** What is asked of a channel's history. */
export type HistoryWish = Omit<Extract<Request, { readonly method: 'history' }>, 'method'>;

/** What reading history needs. */
export interface HistoryContext {
  readonly channels: Channels;
  readonly limits: Limits;
  readonly encoder: FrameEncoder;
}

/** Answers with what is stored of a channel and where it ends. Calls back once, now or later. */
export function readHistory(
  context: HistoryContext,
  wish: HistoryWish,
  done: (result: Extract<Result, { readonly method: 'history' | 'error' }>) => void,
): void {
  const fail = (error: Parameters<typeof failure>[0]): void => done({ method: 'error', ...error });
  // Offsets of several partitions have no order.
  if (hasWildcard(wish.channel)) {
    fail(ERROR.notAvailable);
    return;
  }
  const begin = (): void => {
    try {
      const top = topOf(context, wish.channel);
      if (top === null) fail(ERROR.notAvailable);
      else if (isOfOtherEpoch(wish.since, top)) fail(ERROR.unrecoverablePosition);
      else read(context, wish, top);
    } catch (error) {
      fail(protocolErrorOf(error));
    }
  };
  context.channels.reach([wish.channel], () => 'everything', begin);

  function read(
    { channels, limits, encoder }: HistoryContext,
    { channel, order }: HistoryWish,
    top: StreamPosition,
  ) {
    const countMax = limits.centrifugePublicationsMax;
    const count = wish.limit < 0 ? countMax : Math.min(wish.limit, countMax);
    const from = startOf(wish, count, top);
    if (count === 0 || from === null) {
      done({ method: 'history', publications: [], position: top });
      return;
    }
    const beforeOffset =
      order === 'reverse' && wish.since !== null ? wish.since.offset : Number.POSITIVE_INFINITY;
    const request = {
      channel,
      from,
      encoder,
      countMax: count,
      bytesMax: limits.centrifugeReplyBytesMax,
      beforeOffset,
      keep: order === 'reverse' ? 'last' : 'first',
      gaps: 'passed',
    } as const;
    readPage(channels, request, (page) => {
      if (page instanceof TidegateError) fail(protocolErrorOf(page));
      else if (page === 'gap') fail(ERROR.unrecoverablePosition);
      else {
        const { publications } = page;
        const position = page.next !== null && page.next.offset > top.offset ? page.next : top;
        const ordered = order === 'reverse' ? publications.toReversed() : publications;
        done({ method: 'history', publications: ordered, position });
      }
    });
  }
}

/** Where a channel ends now; null if it is stored in several partitions. */
function topOf({ channels, encoder }: HistoryContext, channel: string): StreamPosition | null {
  const probe = channels.subscribe({
    channels: [channel],
    from: { kind: 'latest' },
    encoder,
    sink: { write: () => true, ended() {} },
    slowPolicy: 'resume',
    protocol: 'centrifuge',
    permission: 'history',
  });
  const cursor = probe.cursor();
  probe.close();
  return singlePosition(cursor);
}

function isOfOtherEpoch(since: StreamPosition | null, top: StreamPosition): boolean {
  return since !== null && since.epoch !== '' && since.epoch !== top.epoch;
}

/** Where to begin to read; null if there is nothing to be had. */
function startOf({ since, order }: HistoryWish, count: number, top: StreamPosition): StartPosition | null {
  if (order === 'reverse') {
    if (since === null) return { kind: 'last', count };
    return since.offset <= 1 ? null : { kind: 'last', count, before: since.offset - 1 };
  }
  if (since === null) return { kind: 'earliest' };
  if (since.offset >= top.offset) return null;
  return { kind: 'offset', epoch: top.epoch, offset: since.offset };
}
