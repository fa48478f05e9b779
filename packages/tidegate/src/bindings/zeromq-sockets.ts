import type { Buffer } from 'node:buffer';
import type { Publisher, Pull, Router, Subscriber } from 'zeromq';
import {
  type BoundPublisher,
  type BoundSocket,
  type BoundSubscriber,
  type Logger,
  type MessageSockets,
  type PublishOptions,
  type ReceiveOptions,
  type ReplyOptions,
  type SocketOptions,
  TidegateError,
} from '../kernel/index.ts';

/** The library, as it is imported. */
export type Zeromq = typeof import('zeromq');

/**
 * Sockets of ZeroMQ over the package `zeromq`, which need not be installed: it is loaded now, and by nobody else.
 * @throws TidegateError zmq_missing
 */
export async function loadZeromqSockets(
  logger: Logger,
  load: () => Promise<Zeromq> = () => import('zeromq'),
): Promise<MessageSockets> {
  try {
    return new ZeromqSockets(await load(), logger);
  } catch (error) {
    // Also where there is no build for this system.
    throw new TidegateError('zmq_missing', undefined, { cause: error });
  }
}

class ZeromqSockets implements MessageSockets {
  readonly #library: Zeromq;
  readonly #logger: Logger;

  constructor(library: Zeromq, logger: Logger) {
    this.#library = library;
    this.#logger = logger;
  }

  async pull(options: ReceiveOptions): Promise<BoundSocket> {
    const socket = new this.#library.Pull(receivingOf(options));
    const bound = await bind(socket, options);
    this.#receive(socket, options);
    return bound;
  }

  async subscriber(options: ReceiveOptions): Promise<BoundSubscriber> {
    const socket = new this.#library.Subscriber(receivingOf(options));
    const bound = await bind(socket, options);
    this.#receive(socket, options);
    return {
      ...bound,
      subscribe(prefix) {
        if (!socket.closed) socket.subscribe(prefix);
      },
      unsubscribe(prefix) {
        if (!socket.closed) socket.unsubscribe(prefix);
      },
    };
  }

  async replier(options: ReplyOptions): Promise<BoundSocket> {
    // A Reply would answer one question after the other, and wait for each to be stored.
    const { queuedMax } = options;
    const socket = new this.#library.Router({ ...receivingOf(options), sendHighWaterMark: queuedMax });
    const bound = await bind(socket, options);
    const sender = new Sender(socket, queuedMax);
    this.#receive(socket, {
      ...options,
      take(message, done) {
        // The frames before an empty one say to whom the answer goes.
        const end = message.findIndex((frame) => frame.length === 0);
        const route = message.slice(0, end + 1);
        if (end === -1) {
          done();
          return;
        }
        options.reply(message.slice(end + 1), (answer) => {
          sender.send([...route, answer]);
          done();
        });
      },
    });
    return bound;
  }

  async publisher(options: PublishOptions): Promise<BoundPublisher> {
    const sendHighWaterMark = options.queuedMax;
    const socket = new this.#library.Publisher({ ...settingsOf(options), sendHighWaterMark });
    const bound = await bind(socket, options);
    const sender = new Sender(socket, options.queuedMax);
    return { ...bound, send: (frame) => sender.send([frame]) };
  }

  /** Reads until the socket is closed, and no more than may be under way. */
  #receive(socket: Pull | Subscriber | Router, { pendingMax, pendingBytesMax, take }: ReceiveOptions): void {
    let pending = 0;
    let pendingBytes = 0;
    let resume: (() => void) | null = null;
    const done = (bytes: number): void => {
      pending--;
      pendingBytes -= bytes;
      if (pending >= pendingMax || pendingBytes >= pendingBytesMax) return;
      resume?.();
      resume = null;
    };
    const read = async (): Promise<void> => {
      while (!socket.closed) {
        let frames: readonly Buffer[];
        try {
          frames = await socket.receive();
        } catch (error) {
          if (!socket.closed) this.#logger.error({ error }, 'A ZMQ socket cannot be read any more');
          return;
        }
        const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
        pending++;
        pendingBytes += bytes;
        take(frames, () => done(bytes));
        if (pending < pendingMax && pendingBytes < pendingBytesMax) continue;
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
      }
    };
    void read();
  }
}

/** Sends messages one after the other, as the library wants it. */
class Sender {
  readonly #socket: Publisher | Router;
  readonly #queuedMax: number;
  #queue: (readonly Buffer[])[] = [];
  #isSending = false;

  constructor(socket: Publisher | Router, queuedMax: number) {
    this.#socket = socket;
    this.#queuedMax = queuedMax;
  }

  send(message: readonly Buffer[]): boolean {
    if (this.#queue.length >= this.#queuedMax || this.#socket.closed) return false;
    this.#queue.push(message);
    if (!this.#isSending) void this.#sendAll();
    return true;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#queue.length > 0) {
      const messages = this.#queue;
      this.#queue = [];
      for (const message of messages) {
        try {
          await this.#socket.send([...message]);
        } catch {
          // It was closed, or the peer is gone: there is nobody whom it could be for.
        }
      }
    }
    this.#isSending = false;
  }
}

/** What all sockets have. */
function settingsOf({ host, frameBytesMax }: SocketOptions) {
  return {
    linger: 0,
    // Refuses peers of ZMTP 1.0, whose greeting may be anything: to them belongs whatever a web page has a browser post to the port.
    zapDomain: 'tidegate',
    ipv6: host.includes(':'),
    maxMessageSize: frameBytesMax,
  };
}

/** What those have that receive. */
function receivingOf(options: SocketOptions & { readonly pendingMax: number }) {
  return { ...settingsOf(options), receiveHighWaterMark: options.pendingMax };
}

const REASONS: Readonly<Record<string, string | undefined>> = {
  EADDRINUSE: 'another program uses it',
  EACCES: 'this user may not use the port',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENODEV: 'this machine does not have the address',
};

async function bind(
  socket: Pull | Subscriber | Router | Publisher,
  { host, port }: SocketOptions,
): Promise<BoundSocket> {
  const address = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  try {
    await socket.bind(`tcp://${address}`);
  } catch (error) {
    socket.close();
    const { code, message } = error as NodeJS.ErrnoException;
    throw new TidegateError('listen_failed', `${address}: ${REASONS[code ?? ''] ?? message}.`, {
      cause: error,
    });
  }
  const bound = Number(socket.lastEndpoint?.split(':').at(-1));
  return { port: bound, close: () => socket.close() };
}
