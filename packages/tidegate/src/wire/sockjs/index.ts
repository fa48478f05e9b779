export { closeFrame, HEARTBEAT, messagesFrame, OPEN, quoteMessage } from './frames.ts';
export {
  EVENT_SOURCE,
  htmlFile,
  jsonp,
  type ResponseFraming,
  XHR,
  XHR_STREAMING,
} from './framings.ts';
export { iframePage } from './iframe-page.ts';
export { type MessagesProblem, messagesOfForm, parseMessages } from './messages.ts';
export {
  parseSockJsPath,
  type ReceivingTransport,
  type SendingTransport,
  type SessionTransport,
  type SockJsPath,
} from './path.ts';
