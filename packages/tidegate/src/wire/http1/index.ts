export { preferredType } from './accept.ts';
export { chunk, chunkHeader, LAST_CHUNK } from './chunk.ts';
export type { ChunkedBodyLimits } from './chunked-body.ts';
export { parseContentLength } from './content-length.ts';
export { FieldLines } from './field-lines.ts';
export { type ForwardedElement, parseForwarded } from './forwarded.ts';
export { assertHost, sameHost } from './host.ts';
export { REASON_PHRASES } from './reason-phrases.ts';
export type { ReceivedResponse, ResponseFraming } from './received-response.ts';
export type { RequestHead } from './request-head.ts';
export { isTarget } from './request-line.ts';
export { RequestParser, type RequestParserLimits, type RequestStep } from './request-parser.ts';
export { requestHead } from './request-writer.ts';
export {
  assertResponseFields,
  isWithoutContent,
  type ResponseFields,
  responseHead,
} from './response-head.ts';
export { ResponseParser, type ResponseStep } from './response-parser.ts';
export {
  beginFlush,
  endFlush,
  endOfStream,
  framingFor,
  type StreamFraming,
  singleFlush,
} from './stream-framing.ts';
export { isPermittedTrailer, permittedTrailers } from './trailers.ts';
