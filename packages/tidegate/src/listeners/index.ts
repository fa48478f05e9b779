export {
  type AdminCaller,
  type AdminListenerOptions,
  type AdminRequest,
  type AdminResponse,
  type AdminRoute,
  type AdminStream,
  type AdminStreamOutput,
  createAdminListener,
} from './admin.ts';
export { type CrossOriginOptions, withCrossOrigin } from './cross-origin.ts';
export { createHttpListener, type HttpListenerOptions } from './http-listener.ts';
export { assertFree } from './listen.ts';
export { assertListenable, isLoopback } from './loopback.ts';
export { PassedExchange } from './passed-exchange.ts';
export type {
  BodyReceiver,
  ByteChannel,
  ByteChannelOwner,
  ClientCertificate,
  Headers,
  HttpExchange,
  HttpHandler,
  HttpRequest,
  HttpStatusMap,
  Listener,
  PublicListener,
  RequestBody,
  ResponseHeaders,
  StreamFraming,
} from './port.ts';
export { type ProblemResponse, problemResponse } from './problem.ts';
export { HTTP_STATUS } from './status.ts';
