export { CLOSE, CLOSE_REASON_BYTES_MAX, isCloseCode } from './close-codes.ts';
export { type ConnectionState, type ConnectionTransport, WebSocketConnection } from './connection.ts';
export {
  BINARY_BEGINS,
  BINARY_FRAME,
  CLOSE_FRAME,
  COMPRESSED_BINARY_FRAME,
  COMPRESSED_TEXT_FRAME,
  CONTINUATION_ENDS,
  CONTINUES,
  closePayload,
  encodeCloseFrame,
  encodeFrame,
  openFrame,
  PING_FRAME,
  PONG_FRAME,
  sealFrame,
  TEXT_BEGINS,
  TEXT_FRAME,
  writeFrame,
  writeMaskedFrame,
} from './frame.ts';
export {
  acceptHandshake,
  acceptKey,
  type Handshake,
  type HandshakeOptions,
  type HandshakeRequest,
  WEBSOCKET_VERSION,
} from './handshake.ts';
export { applyMask } from './mask.ts';
export { deflateMessage, type InflateFailure, inflateMessage } from './message-deflate.ts';
export type { DeflateAgreement } from './negotiate-deflate.ts';
export {
  type MessageKind,
  type MessageStorage,
  type ReceiverEvents,
  type ReceiverOptions,
  WebSocketReceiver,
} from './receiver.ts';
export { ReceiverPool } from './receiver-pool.ts';
export { VIOLATIONS, type Violation } from './violations.ts';
