import type { EndReason } from '../../channels/index.ts';
import { type Expiring, TidegateError } from '../../kernel/index.ts';
import type { ByteChannelOwner } from '../../listeners/port.ts';
import { bodyFilterOf, type GripInstruct } from '../../wire/grip/index.ts';
import type { HoldEnd } from './grip-metrics.ts';
import type { HoldContext } from './hold-context.ts';
import type { LinkFetch } from './link-task.ts';
import { NextAnswer } from './next-answer.ts';
import type { GripRoute } from './port.ts';
import type { StoredItem } from './stored-item.ts';
import { StreamChannels, type StreamChannelsHost, type StreamChannelsOptions } from './stream-channels.ts';
import { StreamLinks } from './stream-links.ts';
import { StreamOutput } from './stream-output.ts';
import { StreamTimes } from './stream-times.ts';

export interface StreamHoldOptions extends StreamChannelsOptions {
  readonly instruct: GripInstruct;
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

/** A response that goes on: a body, then messages, and where there is a next link, what the origin has behind it. */
export class StreamHold implements StreamChannelsHost, ByteChannelOwner, Expiring {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #context: HoldContext;
  readonly #route: GripRoute;
  readonly #status: number;
  readonly #ended: (hold: StreamHold) => void;
  readonly #output: StreamOutput;
  readonly #channels: StreamChannels;
  readonly #times: StreamTimes;
  readonly #links: StreamLinks;
  #phase: Phase = 'body';
  #instruct: GripInstruct;
  #source: LinkFetch | null;
  /** What is to be done once the body that is coming has ended. */
  readonly #wanted = { close: false, hint: false, recovery: false };

  /**
   * Subscribes, and sends the head.
   * @throws TidegateError what a channel is refused for; then nothing was sent
   */
  constructor(options: StreamHoldOptions) {
    const { exchange, head, instruct, context } = options;
    // Not the options: what the exchange needs may go while the stream stays.
    this.#context = context;
    this.#route = options.route;
    this.#status = head.status;
    this.#ended = options.ended;
    this.#instruct = instruct;
    this.#source = options.source;
    const bodyFilter = bodyFilterOf(instruct, instruct.meta, context.limits);
    this.#channels = new StreamChannels(options, this);
    this.#links = new StreamLinks(options.base, options.route, context);
    this.#times = new StreamTimes(context.deadlines, context.random);
    this.#subscribe();
    this.#output = new StreamOutput(exchange, head, this);
    this.#output.bodyFilter = bodyFilter;
    context.metrics.began('stream');
    context.deadlines.add(this);
  }

  // --- The body that the origin gives. ---

  data(slice: Uint8Array): void {
    if (this.#phase === 'over') return;
    this.#times.sent();
    this.#tries(() => {
      if (!this.#output.sendBody(slice)) this.#source?.pause();
    });
  }

  /** The body is complete. */
  bodyEnded(): void {
    if (this.#phase === 'over' || !this.#tries(() => this.#output.endBody())) return;
    this.#source = null;
    this.#settle();
  }

  /** Does what may show that the origin cannot be followed, which ends the stream. Returns whether it can. */
  #tries(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      this.brokenAnswer(TidegateError.from(error));
      return false;
    }
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
    this.#links.trust();
    this.#times.messageSent();
  }

  /** @throws TidegateError what a channel is refused for */
  #subscribe(): void {
    this.#channels.subscribe(this.#instruct, this.#links.takeAsked());
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
    this.#links.trust();
    this.#wanted.hint = true;
    this.settled();
  }

  /** Asks the origin if that is wanted and nothing is in the way. Whoever does not keep pace has enough to read. */
  settled(): void {
    const isReady = this.#phase === 'held' && this.#output.hasRoom && this.#channels.isIdle;
    if (this.#wanted.hint && isReady && this.#instruct.nextLink !== null) this.#ask('refresh');
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
    const { nextLink, hold } = this.#instruct;
    if (nextLink === null) {
      // Whoever missed something comes back for it.
      this.#finish(hold === null ? 'origin' : 'failed', 'whole');
      return;
    }
    this.#phase = 'asking';
    this.#wanted.hint = false;
    this.#wanted.recovery = false;
    const feeds = this.#channels.shut();
    this.#tries(() => {
      const fetch = this.#links.fetch(nextLink.uri, feeds, new NextAnswer(this, why, this.#context));
      this.#source = fetch;
      if (fetch === null) this.#finish('failed', 'cut');
      else fetch.start();
    });
  }

  /**
   * The body of a next link is to come, with this instruction.
   * @throws TidegateError grip_instruct_invalid
   */
  filterBody(instruct: GripInstruct): void {
    this.#output.bodyFilter = bodyFilterOf(instruct, this.#metaWith(instruct), this.#context.limits);
  }

  #metaWith({ meta }: GripInstruct): ReadonlyMap<string, string> {
    return new Map([...this.#instruct.meta, ...meta]);
  }

  /** The body of a next link has ended: its instruction takes the place of the one before. */
  replaced(instruct: GripInstruct): void {
    if (this.#phase === 'over' || !this.#tries(() => this.#output.endBody())) return;
    this.#source = null;
    const meta = this.#metaWith(instruct);
    this.#instruct = { ...instruct, meta, goneLink: instruct.goneLink ?? this.#instruct.goneLink };
    if (this.#tries(() => this.#subscribe())) this.#settle();
  }

  /** The answer to a next link begins. */
  answering(): void {
    if (this.#phase === 'asking') this.#phase = 'body';
  }

  /** There is no answer to a next link; nothing of one was sent. */
  notReplaced(why: 'follow' | 'refresh'): void {
    this.#links.takeAsked();
    this.#source = null;
    if (this.#phase === 'over') return;
    if (why === 'follow' || this.#wanted.recovery) this.#finish('failed', 'cut');
    else if (this.#wanted.close) this.#finish('closed', 'whole');
    else this.#resume();
  }

  /** What the origin says cannot be followed. */
  brokenAnswer(error: TidegateError): void {
    const { logger, metrics } = this.#context;
    logger.warn({ error, route: this.#route.name }, 'An instruction or body of a stream cannot be followed');
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
      this.#links.trust();
      this.#wanted.hint = true;
      this.settled();
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
    this.settled();
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
    this.#links.left(this.#instruct.goneLink);
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
