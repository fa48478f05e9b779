/** The part of Express that `app.ts` uses; the package brings no types of its own. */
declare module 'express' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  type Next = (error?: Error) => void;
  /** What it throws, or rejects with, goes to the next handler with four parameters. */
  type Handler = (request: IncomingMessage, response: ServerResponse, next: Next) => unknown;
  type ErrorHandler = (
    error: Error,
    request: IncomingMessage,
    response: ServerResponse,
    next: Next,
  ) => unknown;

  interface Application extends RequestListener {
    disable(setting: string): void;
    get(path: string, ...handlers: Handler[]): void;
    post(path: string, ...handlers: Handler[]): void;
    use(handler: Handler | ErrorHandler): void;
  }

  function express(): Application;
  namespace express {
    function static(folder: string, options: { setHeaders(response: ServerResponse): void }): Handler;
  }
  export default express;
}
