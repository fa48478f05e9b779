import type { Buffer } from 'node:buffer';
import type { TidegateError } from '../../kernel/index.ts';
import type { Close, WebSocketEvent } from '../../wire/grip/index.ts';
import type { MessageKind } from '../../wire/websocket/index.ts';

/** The origin's end of a WebSocket: a WebSocket of its own, or requests with events. What is handed over is the socket's to keep. */
export interface OriginSocket {
  /** Whether the origin answers the client's pings soon enough; if not, the gateway does, and the origin only hears of them. */
  readonly answersPings: boolean;
  sendMessage(kind: MessageKind, content: Buffer): void;
  sendPing(content: Buffer): void;
  sendPong(content: Buffer): void;
  /** The client has closed, by a close frame of its own or in answer to one of the gateway. Nothing follows. */
  close(close: Close): void;
  /** The client is gone without a close frame. Nothing follows. */
  disconnect(): void;
  /** The origin has been heard for the last time: it is let go of, without being told that the client is gone. */
  detach(): void;
  /** Asks the origin whether it has anything to say, where it has to be asked. */
  refresh(): void;
  /** The id that requests name from now on; null for none. */
  setSession(id: string | null): void;
  /** Stops and restarts what the origin sends: the client does not read fast enough. */
  pause(): void;
  resume(): void;
}

/** Hears what an origin says. */
export interface OriginSocketOwner {
  originMessage(kind: MessageKind, content: Buffer): void;
  originPing(content: Buffer): void;
  originPong(content: Buffer): void;
  /** The origin closes the WebSocket. Nothing follows. */
  originClosed(close: Close): void;
  /** The origin drops the connection, without a close frame. Nothing follows. */
  originDropped(): void;
  /** The origin cannot be reached, or what it says cannot be followed. Nothing follows. */
  originFailed(error: TidegateError): void;
  /** The origin takes no more for now: the client is not to be read; then that it does again. */
  originBusy(): void;
  originReady(): void;
}

/** Tells of an event that is a frame for the client. */
export function tellFrame(
  event: Extract<WebSocketEvent, { readonly content: Uint8Array }>,
  owner: OriginSocketOwner,
): void {
  const content = event.content as Buffer;
  if (event.type === 'PING') owner.originPing(content);
  else if (event.type === 'PONG') owner.originPong(content);
  else owner.originMessage(event.type === 'TEXT' ? 'text' : 'binary', content);
}
