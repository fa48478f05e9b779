import type { Buffer } from 'node:buffer';
import type { TypedFrame, WebSocketMessageType } from '../../wire/grip/index.ts';
import { BINARY_FRAME, encodeFrame, PING_FRAME, PONG_FRAME, TEXT_FRAME } from '../../wire/websocket/index.ts';

/** The first byte of the frame that a message of a type is. */
export const FIRST_BYTE: Readonly<Record<WebSocketMessageType, number>> = {
  text: TEXT_FRAME,
  binary: BINARY_FRAME,
  ping: PING_FRAME,
  pong: PONG_FRAME,
};

export function encodeTypedFrame({ type, content }: TypedFrame): Buffer {
  return encodeFrame(FIRST_BYTE[type], content);
}
