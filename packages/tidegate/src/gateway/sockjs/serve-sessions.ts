import { Buffer } from 'node:buffer';
import { type Limits, type Line, lineJson, readLineJson } from '../../kernel/index.ts';
import type { ResponseHeaders } from '../../listeners/port.ts';
import type { SessionAnswer, SessionAnswerOwner } from './session-answer.ts';
import type { FromSessions, ToSessions } from './session-messages.ts';
import type { Sessions } from './session-request.ts';

/** Answers the requests of sessions that another process hands on. */
export function serveSessions(line: Line, sessions: Sessions, limits: Limits): void {
  const answers = new Map<number, LineAnswer>();
  const load: LineLoad = { bytes: 0, limits };
  line.onTold('sockjs', (bytes) => {
    const message = readLineJson<ToSessions>(bytes);
    const { id } = message;
    if (message.kind === 'request') {
      line.tell('sockjs', lineJson({ kind: 'arrived', bytes: bytes.length } satisfies FromSessions));
      const answer = new LineAnswer(line, id, load, () => answers.delete(id));
      answers.set(id, answer);
      sessions.handle(message.request, answer);
    } else if (message.kind === 'taken') answers.get(id)?.taken(message.bytes);
    else answers.get(id)?.left();
  });
  line.onClosed(() => {
    for (const answer of [...answers.values()]) answer.left();
  });
}

/** What all answers on a line have under way together. */
interface LineLoad {
  bytes: number;
  readonly limits: Limits;
}

/** An answer whose client is connected to another process. */
class LineAnswer implements SessionAnswer {
  readonly #line: Line;
  readonly #id: number;
  readonly #load: LineLoad;
  readonly #ended: () => void;
  #owner: SessionAnswerOwner | null = null;
  #isOver = false;
  /** Bytes that the client has not taken yet. */
  #underWay = 0;
  #isBehind = false;

  constructor(line: Line, id: number, load: LineLoad, ended: () => void) {
    this.#line = line;
    this.#id = id;
    this.#load = load;
    this.#ended = ended;
  }

  heardBy(owner: SessionAnswerOwner): void {
    this.#owner = owner;
  }

  respond(status: number, headers: ResponseHeaders, body: string | Uint8Array): void {
    if (this.#isOver) return;
    const base64 = Buffer.from(body as Uint8Array).toString('base64');
    this.#tell({ kind: 'respond', id: this.#id, status, headers, body: base64 });
    this.#over();
  }

  open(status: number, headers: ResponseHeaders): void {
    if (!this.#isOver) this.#tell({ kind: 'open', id: this.#id, status, headers });
  }

  write(text: string): boolean {
    if (this.#isOver) return false;
    const { limits } = this.#load;
    this.#count(Buffer.byteLength(text));
    this.#tell({ kind: 'write', id: this.#id, text });
    this.#isBehind =
      this.#underWay >= limits.sockJsQueuedBytesMax || this.#load.bytes >= limits.sockJsForwardedBytesMax;
    return !this.#isBehind;
  }

  end(): void {
    if (this.#isOver) return;
    this.#tell({ kind: 'end', id: this.#id });
    this.#over();
  }

  taken(bytes: number): void {
    this.#count(-bytes);
    if (!this.#isBehind || this.#underWay > 0) return;
    this.#isBehind = false;
    this.#owner?.drained();
  }

  left(): void {
    if (this.#isOver) return;
    this.#over();
    this.#owner?.left();
  }

  #count(bytes: number): void {
    this.#underWay += bytes;
    this.#load.bytes += bytes;
  }

  #over(): void {
    this.#isOver = true;
    this.#count(-this.#underWay);
    this.#ended();
  }

  #tell(message: FromSessions): void {
    this.#line.tell('sockjs', lineJson(message));
  }
}
