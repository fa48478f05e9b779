import { Buffer } from 'node:buffer';
import type { ResponseHeaders } from '../../listeners/port.ts';
import type { ResponseFraming } from '../../wire/sockjs/index.ts';
import { type AskingPage, crossOriginHeaders, liveHeaders } from './answer-headers.ts';
import type { Refusal } from './origin-client.ts';
import type { SessionAnswer, SessionAnswerOwner } from './session-answer.ts';

/** What a receiving request can do after a frame: take more, take more later, or nothing, because it is answered. */
export type Room = 'more' | 'later' | 'answered';

/** How frames fill the answer of a receiving request. */
export interface ReceivingForm {
  readonly framing: ResponseFraming;
  /** After so many bytes the answer ends, as browsers keep all of it; 0 after the first frame. */
  readonly bytesMax: number;
}

/** A receiving request of a session, as its session sees it. */
export class ReceivingAnswer {
  readonly #answer: SessionAnswer;
  readonly #form: ReceivingForm;
  readonly #page: AskingPage;
  #bytes = 0;
  #isOpen = false;

  constructor(answer: SessionAnswer, form: ReceivingForm, page: AskingPage) {
    this.#answer = answer;
    this.#form = form;
    this.#page = page;
  }

  heardBy(owner: SessionAnswerOwner): void {
    this.#answer.heardBy(owner);
  }

  send(frame: string): Room {
    const { framing, bytesMax } = this.#form;
    const text = framing.frame(frame);
    if (bytesMax === 0) {
      this.#answer.respond(200, this.#headers, text);
      return 'answered';
    }
    this.begin();
    const keepsPace = this.#answer.write(text);
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes >= bytesMax) {
      this.#answer.end();
      return 'answered';
    }
    return keepsPace ? 'more' : 'later';
  }

  /** Nothing follows the frame. */
  sendLast(frame: string): void {
    if (this.send(frame) !== 'answered') this.#answer.end();
  }

  /** What the origin answered in place of taking the session is the answer. */
  refuse({ status, fields, body }: Refusal): void {
    this.#answer.respond(status, { ...headersOf(fields), ...crossOriginHeaders(this.#page) }, body);
  }

  /** The client learns that its request has arrived, where the answer goes on. */
  begin(): void {
    if (this.#isOpen || this.#form.bytesMax === 0) return;
    this.#isOpen = true;
    const { prelude } = this.#form.framing;
    this.#answer.open(200, this.#headers);
    if (prelude !== '') this.#answer.write(prelude);
  }

  get #headers(): ResponseHeaders {
    return liveHeaders(this.#page, this.#form.framing.contentType);
  }
}

/** Of the response that carries them, and not of what it says. */
const OF_RESPONSE =
  /^(?:access-control-.*|connection|content-length|date|keep-alive|transfer-encoding|upgrade|vary)$/;
/** Values that a response of the server's own may have. */
const WRITABLE = /^[\t\x20-\x7e]*$/;

function headersOf(fields: readonly string[]): ResponseHeaders {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at].toLowerCase();
    if (OF_RESPONSE.test(name) || !WRITABLE.test(fields[at + 1])) continue;
    const earlier = headers[name];
    headers[name] = earlier === undefined ? fields[at + 1] : [earlier, fields[at + 1]].flat();
  }
  return headers;
}
