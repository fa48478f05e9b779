import type { Channels, StreamPosition } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import type { SessionContext } from './context.ts';
import { takesDeltas } from './opening.ts';
import { readPage } from './page.ts';
import type { SubscribeWish } from './protocol.ts';
import { type ProtocolError, protocolErrorOf } from './status.ts';

/** What a client has missed, as far as one reply holds it. */
export interface Missed {
  readonly publications: readonly Uint8Array[];
  readonly recovered: boolean;
}

export const NOTHING_MISSED: Missed = { publications: [], recovered: false };

/** Called once, never before `readMissed` returns unless there is an error. */
export type MissedCallback = (
  missed: (Missed & { readonly next: StreamPosition }) | 'unrecoverable' | ProtocolError,
) => void;

/**
 * Reads what a channel has had since the position that a client recovers: all of it, or as much as a reply holds. It is unrecoverable if some of it is gone, if
 * the epoch is another, or if the channel is stored in several partitions.
 */
export function readMissed(
  { format, limits }: SessionContext,
  channels: Channels,
  channel: string,
  wish: SubscribeWish,
  done: MissedCallback,
): void {
  const request = {
    channel,
    from: { kind: 'offset', epoch: wish.recover?.epoch ?? '', offset: wish.recover?.offset ?? 0 },
    encoder: takesDeltas(channel, wish) ? format.deltaPageEncoder : format.pageEncoder,
    countMax: limits.centrifugePublicationsMax,
    bytesMax: limits.centrifugeReplyBytesMax,
    beforeOffset: Number.POSITIVE_INFINITY,
    keep: 'first',
    gaps: 'refused',
  } as const;
  const read = (): void => {
    try {
      readPage(channels, request, (page) => {
        if (page instanceof TidegateError) done(protocolErrorOf(page));
        else if (page === 'gap' || page.next === null) done('unrecoverable');
        else done({ publications: page.publications, recovered: true, next: page.next });
      });
    } catch (error) {
      done(protocolErrorOf(error));
    }
  };
  channels.reach([channel], () => request.from, read);
}

/**
 * The position that a client is told. It advances by the publications of the reply as it takes them, so that with some of them it is where it
 * recovers from: who unsubscribes before they are taken would never get them otherwise.
 */
export function toldPosition(
  position: StreamPosition | null,
  { recover }: SubscribeWish,
  missed: Missed,
): StreamPosition | null {
  if (position === null || recover === null || missed.publications.length === 0) return position;
  return { epoch: position.epoch, offset: recover.offset };
}
