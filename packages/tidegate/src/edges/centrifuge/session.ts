import type { Identity } from '../../access/port.ts';
import { openAdmitted } from './admission.ts';
import type { Arrival, ClientTransport } from './client-transport.ts';
import type { ConnectedClient } from './clients.ts';
import { CommandQueue, publishBytes } from './command-queue.ts';
import { carryOut } from './commands.ts';
import { type SessionContext, ttlSeconds } from './context.ts';
import { CredentialHold } from './credential-hold.ts';
import { Outbox } from './outbox.ts';
import { type ClientInfo, type Command, MalformedCommand, PLAIN_WISH, type Result } from './protocol.ts';
import { type PublishCommand, publishAll, publishable } from './publishing.ts';
import { DISCONNECT, type Disconnect, UNSUBSCRIBE } from './status.ts';
import type { SubscribeOptions } from './subscribe-options.ts';
import type { Opened } from './subscription-request.ts';
import { Subscriptions } from './subscriptions.ts';
import { randomUuid } from './uuid.ts';

/**
 * One client: commands come in, replies and pushes go out. Without sockets. Commands are carried out one after another, in order,
 * except that publishes need not wait for each other; a client that does not read its replies is not read either.
 */
export class Session implements ConnectedClient {
  readonly context: SessionContext;
  readonly arrival: Arrival;
  readonly client: string;
  readonly outbox: Outbox;
  readonly #transport: ClientTransport;
  readonly #queue: CommandQueue;
  readonly subscriptions: Subscriptions;
  #state: 'new' | 'connected' | 'closed' = 'new';
  #identity: Identity;
  #info: ClientInfo;
  /** A command is under way that the next ones have to wait for. */
  #isBusy = false;
  #isPumping = false;
  #isPaused = false;
  #publishesPending = 0;
  #publishBytesPending = 0;
  /** The client has been pinged and not been heard of since. */
  #isAsked = false;
  /** How many pings it has not answered yet; other commands may come before the answers. */
  #pongsDue = 0;
  #credential: string;
  readonly #hold: CredentialHold;
  /** Counts the connection off. */
  #disconnected: (() => void) | null = null;

  constructor(context: SessionContext, transport: ClientTransport, arrival: Arrival) {
    this.context = context;
    // A token may be long, and is needed once.
    this.arrival = { ...arrival, credential: '' };
    this.#credential = arrival.credential;
    this.client = randomUuid(context.random);
    this.#transport = transport;
    this.#queue = new CommandQueue(context.limits);
    this.outbox = new Outbox(context.format, transport, context.limits.centrifugeOutputBytesMax);
    this.subscriptions = new Subscriptions(this);
    this.#hold = new CredentialHold(context, (reason) => this.disconnect(reason));
    this.#identity = arrival.unnamed;
    this.#info = { user: '', client: this.client, connInfo: null, chanInfo: null };
  }

  get user(): string {
    return this.#identity.user;
  }

  get identity(): Identity {
    return this.#identity;
  }

  get info(): ClientInfo {
    return this.#info;
  }

  get from(): string {
    return this.arrival.from;
  }

  get isOpen(): boolean {
    return this.#state !== 'closed';
  }

  // --- The transport's side. ---

  /** Takes the bytes of one frame or request. */
  receive(bytes: Buffer): void {
    if (!this.isOpen) return;
    this.#isAsked = false;
    // Also in the grace after its end a token can be revoked; and who came in without one leaves when the server begins to ask for one.
    if (this.context.access.standing(this.#identity) === 'revoked') {
      this.disconnect(DISCONNECT.invalidToken);
      return;
    }
    let commands: readonly Command[];
    try {
      commands = this.#commandsOf(bytes);
    } catch (error) {
      if (!(error instanceof MalformedCommand)) throw error;
      this.disconnect(DISCONNECT.badRequest);
      return;
    }
    if (this.#queue.add(commands, bytes.length) === 'within_limits') this.#pump();
    else this.disconnect(DISCONNECT.slow);
  }

  /** The commands of a frame that are to be carried out; answers to pings are taken at once. @throws MalformedCommand */
  #commandsOf(bytes: Buffer): readonly Command[] {
    if (bytes.length === 0) throw new MalformedCommand('an empty frame');
    return this.context.format.codec.decode(bytes).filter((command) => {
      if (command.method !== 'pong') return true;
      if (this.#pongsDue === 0) throw new MalformedCommand('a pong without a ping');
      this.#pongsDue--;
      return false;
    });
  }

  /** The client answered a ping by other means than a command. */
  ponged(): void {
    this.#isAsked = false;
  }

  drained(): void {
    // A client that takes bytes is alive, even if its answers are behind them.
    this.#isAsked = false;
    this.outbox.drained();
    this.subscriptions.drained();
    this.#pump();
  }

  /** Comes once per ping interval. */
  visited(): void {
    // While its commands wait for the log, it is we who do not listen.
    if (this.#isPaused && !this.outbox.isBlocked) return;
    if (this.#state === 'new' && !this.#isBusy) this.disconnect(DISCONNECT.stale);
    else if (this.#isAsked) this.disconnect(DISCONNECT.noPong);
    else {
      this.#isAsked = true;
      // What is queued for a slow reader keeps the connection as alive as a ping would.
      if (this.outbox.isBlocked) return;
      if (this.context.format.pings === 'replies') this.#pongsDue++;
      this.outbox.ping();
    }
  }

  /** The connection is gone. */
  closed(): void {
    if (this.#state === 'connected') this.context.clients.delete(this);
    this.#state = 'closed';
    this.#queue.clear();
    this.#hold.rest(null);
    this.#disconnected?.();
    this.#disconnected = null;
    this.subscriptions.endAll();
  }

  // --- Commands, in order. ---

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      this.outbox.gather(() => {
        while (this.isOpen && this.#mayStart()) this.#start(this.#queue.shift() as Command);
      });
    } finally {
      this.#isPumping = false;
    }
    if (!this.isOpen) return;
    if (this.outbox.isOverfull) this.disconnect(DISCONNECT.slow);
    else this.#pace();
  }

  #mayStart(): boolean {
    const { head } = this.#queue;
    if (head === undefined || this.#isBusy || this.outbox.isBlocked) return false;
    if (head.method !== 'publish') return this.#publishesPending === 0;
    const { webSocketPublishesPendingMax, webSocketPublishBytesPendingMax } = this.context.limits;
    if (this.#publishBytesPending >= webSocketPublishBytesPendingMax) return false;
    return this.#publishesPending < webSocketPublishesPendingMax;
  }

  /** Commands that cannot be carried out yet wait in the client's socket. */
  #pace(): void {
    const waits = this.#queue.length > 0;
    if (waits === this.#isPaused) return;
    this.#isPaused = waits;
    if (waits) this.#transport.pause();
    else this.#transport.resume();
  }

  #start(command: Command): void {
    const { id } = command;
    if (command.method === 'ping') this.disconnect(DISCONNECT.badRequest);
    else if (id === 0 && command.method !== 'send') this.disconnect(DISCONNECT.badRequest);
    else if ((this.#state === 'new') !== (command.method === 'connect'))
      this.disconnect(DISCONNECT.badRequest);
    else if ('channel' in command && command.channel === '') this.disconnect(DISCONNECT.badRequest);
    else if (command.method === 'publish') this.#publish(command);
    // Nobody listens to messages that are not published.
    else if (command.method !== 'send' && command.method !== 'pong')
      carryOut(this, command, this.#answerTo(id));
  }

  /** What answers a command: the next one may start then. */
  #answerTo(id: number): (result: Result) => void {
    this.#isBusy = true;
    return (result) => {
      this.#isBusy = false;
      if (!this.isOpen) return;
      this.outbox.reply(id, result);
      this.#pump();
    };
  }

  /** Publishes a command and those right behind it in one go. */
  #publish(first: PublishCommand): void {
    const { webSocketPublishesPendingMax, webSocketPublishBytesPendingMax } = this.context.limits;
    const commands = this.#queue.withNext(
      first,
      webSocketPublishesPendingMax - this.#publishesPending,
      webSocketPublishBytesPendingMax - this.#publishBytesPending,
    );
    if (!commands.every(publishable)) {
      this.disconnect(DISCONNECT.badRequest);
      return;
    }
    const bytes = commands.reduce((sum, command) => sum + publishBytes(command), 0);
    this.#publishesPending += commands.length;
    this.#publishBytesPending += bytes;
    publishAll(this, commands, (results) => {
      this.#publishesPending -= commands.length;
      this.#publishBytesPending -= bytes;
      if (!this.isOpen) return;
      this.#gather(() => {
        for (let i = 0; i < commands.length; i++) this.outbox.reply(commands[i].id, results[i]);
      });
      this.#pump();
    });
  }

  #gather(act: () => void): void {
    if (this.#isPumping) act();
    else this.outbox.gather(act);
  }

  // --- Who it is. ---

  /** The credential of the request that began the connection, once; empty for none. */
  takeCredential(): string {
    const credential = this.#credential;
    this.#credential = '';
    return credential;
  }

  /**
   * The client is who it says. Tells for how long, in seconds.
   * @throws TidegateError quota_exceeded, worker_unavailable, the first time
   */
  adopt(identity: Identity, connInfo: ClientInfo['connInfo']): number {
    this.#disconnected ??= this.context.access.connect(identity);
    this.#identity = identity;
    this.#info = { user: identity.user, client: this.client, connInfo, chanInfo: null };
    if (this.#state === 'new') {
      this.#state = 'connected';
      this.context.clients.add(this);
    }
    this.#hold.rest(identity);
    return ttlSeconds(identity, this.context.clock);
  }

  // --- What the server does of itself. ---

  subscribeByServer(channel: string, options: SubscribeOptions, done: () => void): void {
    this.subscriptions.prepare({ channel, wish: PLAIN_WISH, side: 'server', options }, (opening) => {
      const ready = ([{ outcome, entered }]: readonly Opened[]): void => {
        if ('position' in outcome) {
          this.outbox.push({ kind: 'subscribe', channel, position: outcome.position, data: options.data });
          entered();
        }
        done();
      };
      openAdmitted(this, [opening], ready, done);
    });
  }

  unsubscribeByServer(channel: string): void {
    this.subscriptions.tellEnd(channel, UNSUBSCRIBE.server);
  }

  disconnect(reason: Disconnect): void {
    if (!this.isOpen) return;
    this.outbox.flush();
    this.context.figures.disconnected(reason.code);
    this.closed();
    this.#transport.disconnect(reason);
  }
}
