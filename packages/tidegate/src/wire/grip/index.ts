export { type BodyFilter, bodyFilterOf } from './body-filter.ts';
export { type ApplyPatch, patchBody } from './body-patch.ts';
export { allowedClose, type Close } from './close.ts';
export { decodeControlFrame } from './control-frame.ts';
export {
  type ControlMessage,
  parseControlMessage,
  type TypedFrame,
  type WebSocketKeepAlive,
} from './control-message.ts';
export { GRIP_FEATURES } from './features.ts';
export {
  type AskingFilter,
  applyFilters,
  asksOrigin,
  type FilterContext,
  type Filtered,
  filterSteps,
  MESSAGE_FILTERS,
  type MessageFilter,
  messageFilters,
  suitsFilters,
} from './filters.ts';
export {
  formatElement,
  type HeaderElement,
  type Parameter,
  parameterOf,
  parseElements,
  parsePairs,
} from './header-parameters.ts';
export type {
  GripChannel,
  GripInstruct,
  GripKeepAlive,
  GripStatus,
  InstructedResponse,
  KeepAliveMode,
  NextLink,
  SessionRule,
} from './instruct.ts';
export { parseInstructBody } from './instruct-body.ts';
export {
  type Field,
  fieldPairs,
  INSTRUCT_MEDIA_TYPE,
  type InstructPlace,
  instructIn,
  instructInTurn,
  isGripField,
  isInstructMediaType,
} from './instruct-detection.ts';
export { parseInstructFields } from './instruct-fields.ts';
export { octetsOfText, textOfOctets } from './octets.ts';
export type {
  ContentFilters,
  HttpResponseMessage,
  HttpStreamMessage,
  PublishFormats,
  Signal,
  WebSocketClose,
  WebSocketMessage,
  WebSocketMessageType,
} from './publish-format.ts';
export { type PublishItem, parsePublishItem } from './publish-item.ts';
export {
  type SignatureClaims,
  type SignatureExpectation,
  signGrip,
  verifyGrip,
} from './signature.ts';
export { parseSignatureKey, type SignatureAlgorithm, type SignatureKey } from './signature-key.ts';
export { decodeFormats, encodeFormats } from './stored-formats.ts';
export { decodeTnetstring, encodeTnetstring, type TnetInput, type TnetValue } from './tnetstring.ts';
export { parseWebSocketEventFields, type WebSocketEventFields } from './websocket-event-fields.ts';
export {
  encodeWebSocketEvents,
  parseWebSocketEvents,
  WEBSOCKET_EVENTS_MEDIA_TYPE,
  type WebSocketEvent,
} from './websocket-events.ts';
export {
  GRIP_EXTENSION,
  type MessagePrefix,
  type OriginFrame,
  parseGripExtension,
  readOriginFrame,
} from './websocket-frames.ts';
