export { createHttpListener, type HttpListenerOptions } from './http-listener.ts';
export type {
  BodyReceiver,
  ByteChannel,
  ByteChannelOwner,
  Headers,
  HttpExchange,
  HttpHandler,
  HttpRequest,
  HttpStatusMap,
  Listener,
  RequestBody,
  ResponseHeaders,
  StreamFraming,
} from './port.ts';
export { type ProblemResponse, problemResponse } from './problem.ts';
export { HTTP_STATUS } from './status.ts';
