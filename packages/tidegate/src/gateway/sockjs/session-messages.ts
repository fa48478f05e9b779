import type { ResponseHeaders } from '../../listeners/port.ts';
import type { SessionRequest } from './session-request.ts';

/*
 * What is said on a line about requests whose session is in another process. Each has a number, which whoever hands it on gives it. All
 * but bodies of answers is text, so that JSON will do: browsers that need these requests are few.
 */

/** To the process that holds the sessions. */
export type ToSessions =
  | { readonly kind: 'request'; readonly id: number; readonly request: SessionRequest }
  /** The client has taken so many bytes of what was written. */
  | { readonly kind: 'taken'; readonly id: number; readonly bytes: number }
  /** The client is gone. Nothing follows. */
  | { readonly kind: 'left'; readonly id: number };

/** From it. */
export type FromSessions =
  /** The request has arrived; its answer may take its time. */
  | { readonly kind: 'arrived'; readonly bytes: number }
  | {
      readonly kind: 'respond';
      readonly id: number;
      readonly status: number;
      readonly headers: ResponseHeaders;
      /** In base64. */
      readonly body: string;
    }
  | { readonly kind: 'open'; readonly id: number; readonly status: number; readonly headers: ResponseHeaders }
  | { readonly kind: 'write'; readonly id: number; readonly text: string }
  | { readonly kind: 'end'; readonly id: number };
