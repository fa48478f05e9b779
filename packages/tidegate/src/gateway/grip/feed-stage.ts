import type { Buffer } from 'node:buffer';
import type {
  Channels,
  EndReason,
  FrameEncoder,
  Sink,
  StartPosition,
  Subscription,
} from '../../channels/index.ts';

/** What a stage tells its feed. */
export interface FeedStageHost {
  /** Returns whether there is room for more. */
  written(stage: FeedStage, bytes: Buffer): boolean;
  told(stage: FeedStage, text: string): void;
  caughtUp(stage: FeedStage): void;
  ended(stage: FeedStage, reason: EndReason): void;
}

/** What stages of a feed subscribe to. */
export interface FeedSource {
  readonly channels: Channels;
  readonly channel: string;
  readonly frames: FrameEncoder;
  /** Null for holds that look at each item. */
  readonly bytes: FrameEncoder | null;
}

/** The protocol's name for the metrics. */
const PROTOCOL = 'grip';

/** One subscription of a feed: to frames, which say of each item what is known of it, or to bytes that are ready to be sent. */
export class FeedStage implements Sink {
  readonly kind: 'frames' | 'bytes';
  readonly subscription: Subscription;
  /** The id of the message behind which the feed begins; null once it was found, or if there is none to be found. */
  looksFor: string | null;
  hasSeenAny = false;
  /** It has been live. */
  isLive = false;
  readonly #host: FeedStageHost;

  /**
   * @param controlsFrom the place of the stage before it, which was told what control records said before that; undefined if there was none
   * @throws TidegateError channel_invalid, channel_reserved, position_invalid, draining
   */
  constructor(
    host: FeedStageHost,
    source: FeedSource,
    kind: FeedStage['kind'],
    looksFor: string | null,
    from: StartPosition,
    controlsFrom?: string,
  ) {
    const { channel, frames, bytes, channels } = source;
    this.#host = host;
    this.kind = kind;
    this.looksFor = looksFor;
    this.subscription = channels.subscribe({
      channels: [channel],
      from,
      encoder: kind === 'bytes' && bytes !== null ? bytes : frames,
      sink: this,
      slowPolicy: 'resume',
      protocol: PROTOCOL,
      gapEnds: true,
      ...(controlsFrom !== undefined && { controlsFrom }),
    });
  }

  write(bytes: Buffer): boolean {
    return this.#host.written(this, bytes);
  }

  control(text: string): void {
    this.#host.told(this, text);
  }

  caughtUp(): void {
    this.#host.caughtUp(this);
  }

  ended(reason: EndReason): void {
    this.#host.ended(this, reason);
  }
}
