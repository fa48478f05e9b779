import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { RequestParser } from '../wire/http1/index.ts';
import type { ListenerContext } from './connection-registry.ts';
import type { ByteChannel, ByteChannelOwner } from './port.ts';
import type { ResponseWriter } from './response-writer.ts';
import type { ChannelInput } from './socket-channel.ts';

/** What a turn needs of the connection that it is a turn of. */
export interface TurnHost {
  readonly socket: Socket;
  readonly context: ListenerContext;
  readonly parser: RequestParser;
  readonly responses: ResponseWriter;
  /** The client has half-closed: no more bytes will come. */
  readonly clientHasEnded: boolean;
  deadlineMs: number;
  /** Takes the next steps, once the caller has returned. */
  advanceSoon(): void;
  /** Takes the next steps, which may be at once: the turn has its answer. */
  answered(): void;
  /** Sends a whole response, once what has arrived along with it is handled, and at the latest before anything else is sent. */
  sendWhole(response: Buffer): void;
  /** Sends what waits to be sent. */
  sendHeld(): void;
  /** Writes a head and gives the socket away. The turn is over, and so is the connection's part in it. */
  handOver(head: string, owner: ByteChannelOwner, input: ChannelInput): ByteChannel;
}
