export { chunk, chunkHeader, LAST_CHUNK } from './chunk.ts';
export { FieldLines } from './field-lines.ts';
export { sameHost } from './host.ts';
export type { RequestHead } from './request-head.ts';
export { RequestParser, type RequestParserLimits, type RequestStep } from './request-parser.ts';
export { isWithoutContent, type ResponseFields, responseHead } from './response-head.ts';
