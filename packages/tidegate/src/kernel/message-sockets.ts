import type { Buffer } from 'node:buffer';

/** Where a socket is bound, and what it holds at most. */
export interface SocketOptions {
  /** An address, or a name of one. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** A peer that sends more in one frame is disconnected. */
  readonly frameBytesMax: number;
}

/** A socket that receives. */
export interface ReceiveOptions extends SocketOptions {
  /** How many messages are under way at most; beyond them none is read. As many more may wait, from each peer. */
  readonly pendingMax: number;
  /** How many bytes they may have together, but for the last of them. */
  readonly pendingBytesMax: number;
  /**
   * Takes a message, whose frames are the taker's to keep. Must not throw.
   * @param done to be called once, when the message is no longer under way
   */
  take(frames: readonly Buffer[], done: () => void): void;
}

/** A socket that is asked, by several peers at a time. */
export interface ReplyOptions extends SocketOptions {
  readonly pendingMax: number;
  readonly pendingBytesMax: number;
  /** Answers that wait for one peer. */
  readonly queuedMax: number;
  /**
   * Answers a question of any number of frames. Must not throw.
   * @param answer to be called once; what a peer that is gone would get is lost
   */
  reply(frames: readonly Buffer[], answer: (answer: Buffer) => void): void;
}

export interface BoundSocket {
  readonly port: number;
  /** Nothing is taken any more, and what waits is dropped. */
  close(): void;
}

/** A socket that sends to all who want it. */
export interface PublishOptions extends SocketOptions {
  /** Messages that wait for one peer. */
  readonly queuedMax: number;
}

/** Receives what peers publish under the prefixes that it has subscribed to. Peers hear of each. */
export interface BoundSubscriber extends BoundSocket {
  subscribe(prefix: string): void;
  /** Undoes one `subscribe` of the same prefix. */
  unsubscribe(prefix: string): void;
}

/** Sends to all peers that have subscribed; to those whose queue is full, nothing. */
export interface BoundPublisher extends BoundSocket {
  /** Returns whether the message was taken; not, if too many wait. */
  send(frame: Buffer): boolean;
}

/**
 * Sockets of ZeroMQ that are bound to an address of TCP. Each fails with `listen_failed`, whose detail names address and reason.
 */
export interface MessageSockets {
  pull(options: ReceiveOptions): Promise<BoundSocket>;
  subscriber(options: ReceiveOptions): Promise<BoundSubscriber>;
  replier(options: ReplyOptions): Promise<BoundSocket>;
  publisher(options: PublishOptions): Promise<BoundPublisher>;
}
