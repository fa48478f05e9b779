import type { SessionTransport } from '../../wire/sockjs/index.ts';
import type { Visitor } from './handshake-exchange.ts';
import type { SessionAnswer } from './session-answer.ts';

/** A request of a session, with all that is needed of it where the session is, which may be another process. */
export interface SessionRequest {
  readonly route: string;
  readonly sessionId: string;
  readonly transport: SessionTransport;
  /** What a script is to call; null if the transport has none. */
  readonly callback: string | null;
  /** As JSON; empty for a receiving request. */
  readonly messages: string;
  /** Of the target, with its question mark; empty without one. */
  readonly query: string;
  readonly visitor: Visitor;
}

/** Where sessions are. */
export interface Sessions {
  /** Answers a request in any case. */
  handle(request: SessionRequest, answer: SessionAnswer): void;
}
