export {
  BASE64_MARK,
  endSseEvent,
  type SseDataKind,
  writeSseComment,
  writeSseEvent,
  writeSseField,
} from './event-writer.ts';
export { type SseEvent, SseParser, type SseReceiver, sseEventBytes } from './parser.ts';
