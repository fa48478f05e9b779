import type { EndReason } from '../../channels/index.ts';
import { type Expiring, TidegateError } from '../../kernel/index.ts';
import type { ByteChannelOwner } from '../../listeners/port.ts';
import type { GripInstruct } from '../../wire/grip/index.ts';
import { tellGone } from './gone-link.ts';
import type { HoldEnd } from './grip-metrics.ts';
import type { AskedAt } from './hold-channels.ts';
import type { HoldContext } from './hold-context.ts';
import { type LinkBase, linkTarget } from './link-target.ts';
import type { LinkFetch } from './link-task.ts';
import { NextAnswer } from './next-answer.ts';
import { NextFetch } from './next-fetch.ts';
import type { GripRoute } from './port.ts';
import type { StoredItem } from './stored-item.ts';
import { StreamChannels, type StreamChannelsHost, type StreamChannelsOptions } from './stream-channels.ts';
import { StreamOutput } from './stream-output.ts';
import { StreamTimes } from './stream-times.ts';

export interface StreamHoldOptions extends StreamChannelsOptions {
  readonly instruct: GripInstruct;
  readonly base: LinkBase;
  /** By which the body comes. */
  readonly source: LinkFetch;
  /** The response is over, and the hold with it. */
  readonly ended: (hold: StreamHold) => void;
}

/**
 * Where a stream is: in the body of an answer; held, and fed by its channels; asking the origin by its next link, with the channels waiting;
 * or over.
 */
type Phase = 'body' | 'held' | 'asking' | 'over';

const NOWHERE: ReadonlyMap<string, AskedAt> = new Map();

/** A response that goes on: a body, then messages, and where there is a next link, what the origin has behind it. */
export class StreamHold implements StreamChannelsHost, ByteChannelOwner, Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #context: HoldContext;
  readonly #route: GripRoute;
  readonly #base: LinkBase;
  readonly #status: number;
  readonly #ended: (hold: StreamHold) => void;
  readonly #output: StreamOutput;
  readonly #channels: StreamChannels;
  readonly #times: StreamTimes;
  #phase: Phase = 'body';
  #instruct: GripInstruct;
  #source: LinkFetch | null;
  #next: NextFetch | null = null;
  #hops = 0;
  /** What is to be done once the body that is coming has ended. */
  readonly #wanted = { close: false, hint: false, recovery: false };

  /**
   * Subscribes, and sends the head.
   * @throws TidegateError what a channel is refused for; then nothing was sent
   */
  constructor(options: StreamHoldOptions) {
    const { exchange, head, instruct, context } = options;
    // Not the options: a stream may be there for long, and what its exchange needs may go.
    this.#context = context;
    this.#route = options.route;
    this.#base = options.base;
    this.#status = head.status;
    this.#ended = options.ended;
    this.#instruct = instruct;
    this.#source = options.source;
    this.#channels = new StreamChannels(options, this);
    this.#times = new StreamTimes(context.deadlines, context.random);
    this.#subscribe(NOWHERE);
    this.#output = new StreamOutput(exchange, head, this);
    context.metrics.began('stream');
    context.deadlines.add(this);
  }

  // --- The body that the origin gives. ---

  data(slice: Uint8Array): void {
    if (this.#phase === 'over') return;
    this.#times.sent();
    if (!this.#output.send(slice)) this.#source?.pause();
  }

  /** The body is complete. */
  bodyEnded(): void {
    if (this.#phase === 'over') return;
    this.#source = null;
    this.#settle();
  }

  /** The body will not be complete. */
  bodyFailed(): void {
    this.#source = null;
    this.#finish('failed', 'cut');
  }

  /** Goes on from what the instruction says, now that nothing is under way. */
  #settle(): void {
    const { hold, nextLink } = this.#instruct;
    const wanted = this.#wanted;
    this.#phase = 'held';
    if (wanted.close) {
      this.#finish('closed', 'whole');
    } else if (hold === null || wanted.recovery) {
      this.#ask('follow');
    } else if (wanted.hint && nextLink !== null) {
      this.#ask('refresh');
    } else {
      this.#resume();
    }
  }

  #resume(): void {
    this.#phase = 'held';
    this.#wanted.hint = false;
    this.#times.restart();
    this.deadlineMs = this.#times.dueMs;
    this.#channels.open(this.#output);
  }

  // --- Channels. ---

  /** A message has come: the origin need not be asked, and may be asked again without suspicion. */
  active(): void {
    this.#hops = 0;
    this.#times.messageSent();
  }

  /** @throws TidegateError what a channel is refused for */
  #subscribe(asked: ReadonlyMap<string, AskedAt>): void {
    this.#channels.subscribe(this.#instruct, asked);
    this.#times.follow(this.#instruct);
  }

  signal({ formats }: StoredItem): void {
    const action = formats.httpStream?.action;
    if (action === 'hint') {
      this.hint();
    } else if (action === 'close') {
      if (this.#phase === 'held') this.#finish('closed', 'whole');
      else this.#wanted.close = true;
    }
  }

  /** There is something new behind the next link. */
  hint(): void {
    this.#hops = 0;
    this.#wanted.hint = true;
    this.#askIfWanted();
  }

  #askIfWanted(): void {
    // Whoever does not keep pace has enough to read.
    if (!this.#wanted.hint || this.#phase !== 'held' || !this.#output.hasRoom) return;
    if (this.#instruct.nextLink !== null) this.#ask('refresh');
  }

  missed(): void {
    this.#context.metrics.missed.add(1);
    if (this.#phase === 'held') this.#ask('follow');
    else this.#wanted.recovery = true;
  }

  feedEnded(reason: EndReason): void {
    if (reason === 'gap') this.missed();
    else if (reason === 'draining') this.#finish('draining', 'whole');
    else this.#finish('failed', 'cut');
  }

  // --- Links. ---

  /** @param why `follow`: the stream cannot go on without; `refresh`: it can, if the origin does not answer */
  #ask(why: 'follow' | 'refresh'): void {
    const route = this.#route;
    const context = this.#context;
    const { nextLink, hold } = this.#instruct;
    if (nextLink === null) {
      // Whoever missed something comes back for it.
      this.#finish(hold === null ? 'origin' : 'failed', 'whole');
      return;
    }
    if (++this.#hops > context.limits.gripLinkHopsMax) {
      context.logger.warn({ link: nextLink.uri, route: route.name }, 'The next links of a stream do not end');
      this.#finish('failed', 'cut');
      return;
    }
    this.#phase = 'asking';
    this.#wanted.hint = false;
    this.#wanted.recovery = false;
    const feeds = this.#channels.shut();
    try {
      const { authority } = this.#base;
      const target = linkTarget(nextLink.uri, this.#base);
      const receiver = new NextAnswer(this, why, context);
      this.#next = new NextFetch({ authority, target, feeds, route, context, receiver });
    } catch (error) {
      this.brokenAnswer(TidegateError.from(error));
      return;
    }
    this.#source = this.#next;
    this.#next.start();
  }

  /** The body of a next link has ended: its instruction takes the place of the one before. */
  replaced(instruct: GripInstruct): void {
    if (this.#phase === 'over') return;
    const asked = this.#next?.asked ?? NOWHERE;
    this.#next = null;
    this.#source = null;
    const meta = new Map([...this.#instruct.meta, ...instruct.meta]);
    this.#instruct = { ...instruct, meta, goneLink: instruct.goneLink ?? this.#instruct.goneLink };
    try {
      this.#subscribe(asked);
    } catch (error) {
      this.brokenAnswer(TidegateError.from(error));
      return;
    }
    this.#settle();
  }

  /** The answer to a next link begins. */
  answering(): void {
    if (this.#phase === 'asking') this.#phase = 'body';
  }

  /** There is no answer to a next link; nothing of one was sent. */
  notReplaced(why: 'follow' | 'refresh'): void {
    this.#next = null;
    this.#source = null;
    if (this.#phase === 'over') return;
    if (why === 'follow' || this.#wanted.recovery) this.#finish('failed', 'cut');
    else if (this.#wanted.close) this.#finish('closed', 'whole');
    else this.#resume();
  }

  /** What the origin says cannot be followed. */
  brokenAnswer(error: TidegateError): void {
    const { logger, metrics } = this.#context;
    logger.warn({ error, route: this.#route.name }, 'The instruction behind a next link is invalid');
    metrics.invalid.add(1);
    this.#finish('failed', 'cut');
  }

  // --- Time. ---

  expired(): void {
    const times = this.#times;
    // In the midst of a body it would tear apart what the origin says.
    const mayInterject = this.#output.hasRoom && this.#phase !== 'body';
    const keepAlive = times.takeKeepAlive();
    if (keepAlive !== null && mayInterject) this.#channels.keepAlive(this.#output, keepAlive);
    if (this.#phase === 'held' && times.takeRefresh()) {
      this.#hops = 0;
      this.#wanted.hint = true;
      this.#askIfWanted();
    }
    if (this.#phase !== 'over') this.deadlineMs = times.dueMs;
  }

  // --- The client. ---

  received(): void {}

  receivedEnd(): void {}

  drained(): void {
    this.#output.hasRoom = true;
    this.#source?.resume();
    this.#channels.drained();
    this.#askIfWanted();
  }

  draining(): void {
    this.#finish('draining', 'whole');
  }

  closed(): void {
    if (this.#phase === 'over') {
      this.#route.ended(this.#status);
      return;
    }
    this.#finish('client_left', 'cut');
    this.#route.ended(null);
    tellGone(this.#instruct.goneLink, this.#base, this.#route, this.#context);
  }

  #finish(end: HoldEnd, how: 'whole' | 'cut'): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#source?.abort();
    this.#source = null;
    this.#channels.close();
    this.#context.deadlines.delete(this);
    this.#context.metrics.ended('stream', end);
    if (how === 'whole') this.#output.end();
    else this.#output.destroy();
    this.#ended(this);
  }
}
