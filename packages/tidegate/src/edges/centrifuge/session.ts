import type { Identity } from '../../access/port.ts';
import { openAdmitted } from './admission.ts';
import type { ConnectedClient } from './clients.ts';
import { CommandQueue } from './command-queue.ts';
import { carryOut } from './commands.ts';
import { type SessionContext, ttlSeconds } from './context.ts';
import { CredentialHold } from './credential-hold.ts';
import { Outbox, type OutboxTransport } from './outbox.ts';
import { type ClientInfo, type Command, MalformedCommand, PLAIN_WISH, type Result } from './protocol.ts';
import { type PublishCommand, publishAll, publishable } from './publishing.ts';
import { DISCONNECT, type Disconnect, UNSUBSCRIBE } from './status.ts';
import { Subscriptions } from './subscriptions.ts';
import { randomUuid } from './uuid.ts';

/** What carries a session. */
export interface ClientTransport extends OutboxTransport {
  /** Ends the connection and tells the client why. */
  disconnect(reason: Disconnect): void;
  /** Stops and restarts taking commands from the client, as far as it can be stopped. */
  pause(): void;
  resume(): void;
}

/** What a transport knows of the client before it has said anything. */
export interface Arrival {
  /** The address of the client. */
  readonly from: string;
  /** The credential of the request that began the connection; empty for none. One in the connect command takes its place. */
  readonly credential: string;
  /** Who it is that connects, as long as no credential says otherwise: whom a certificate names, or nobody in particular. */
  readonly unnamed: Identity;
  /** What names the connection in emulation requests; empty for connections that go both ways. */
  readonly session: string;
  readonly node: string;
}

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
  readonly #queue = new CommandQueue();
  readonly subscriptions: Subscriptions;
  #state: 'new' | 'connected' | 'closed' = 'new';
  #identity: Identity;
  #info: ClientInfo;
  /** A command is under way that the next ones have to wait for. */
  #isBusy = false;
  #isPumping = false;
  #isPaused = false;
  #publishesPending = 0;
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
    try {
      if (bytes.length === 0) throw new MalformedCommand('an empty frame');
      for (const command of this.context.format.codec.decode(bytes)) {
        if (command.method !== 'pong') this.#queue.add(command);
        else if (this.#pongsDue > 0) this.#pongsDue--;
        else throw new MalformedCommand('a pong without a ping');
      }
    } catch (error) {
      if (!(error instanceof MalformedCommand)) throw error;
      this.disconnect(DISCONNECT.badRequest);
      return;
    }
    if (this.#queue.length > this.context.limits.centrifugeCommandsPendingMax)
      this.disconnect(DISCONNECT.slow);
    else this.#pump();
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
    return this.#publishesPending < this.context.limits.webSocketPublishesPendingMax;
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
    const commands = [first];
    const { webSocketPublishesPendingMax } = this.context.limits;
    for (let { head } = this.#queue; head?.method === 'publish' && head.id > 0; { head } = this.#queue) {
      if (this.#publishesPending + commands.length >= webSocketPublishesPendingMax) break;
      commands.push(this.#queue.shift() as PublishCommand);
    }
    if (!commands.every(publishable)) {
      this.disconnect(DISCONNECT.badRequest);
      return;
    }
    this.#publishesPending += commands.length;
    publishAll(this, commands, (results) => {
      this.#publishesPending -= commands.length;
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

  subscribeByServer(channel: string): void {
    this.subscriptions.prepare(channel, PLAIN_WISH, 'server', (opening) =>
      openAdmitted(this, [opening], ([{ outcome, entered }]) => {
        if ('code' in outcome) return;
        this.outbox.push({ kind: 'subscribe', channel, position: outcome.position });
        entered();
      }),
    );
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
