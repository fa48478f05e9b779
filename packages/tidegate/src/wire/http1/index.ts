export { chunk, chunkHeader, LAST_CHUNK } from './chunk.ts';
export { FieldLines } from './field-lines.ts';
export { assertHost, sameHost } from './host.ts';
export type { RequestHead } from './request-head.ts';
export { isTarget } from './request-line.ts';
export { RequestParser, type RequestParserLimits, type RequestStep } from './request-parser.ts';
export {
  assertResponseFields,
  isWithoutContent,
  type ResponseFields,
  responseHead,
} from './response-head.ts';
