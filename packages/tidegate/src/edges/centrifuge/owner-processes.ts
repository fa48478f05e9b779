import type { Buffer } from 'node:buffer';
import { type Clock, type Limits, type Line, TidegateError } from '../../kernel/index.ts';
import type { ClientAction } from './client-action.ts';
import { ForwardedBytes } from './forwarded-bytes.ts';
import {
  answerRequest,
  descriptionsMessage,
  EMULATE,
  emulateMessage,
  NOT_TAKEN,
  readDescriptions,
  readEmulate,
  readRequest,
  requestMessage,
  TAKEN,
} from './process-messages.ts';
import type { EmulationOutcome, NodeDescription, OtherProcesses, ProcessConnections } from './processes.ts';

/** What the owner needs for reaching its workers. */
export interface OwnerProcessesOptions {
  readonly clock: Clock;
  readonly limits: Limits;
}

type Take = (outcome: EmulationOutcome) => void;

/** Asks one process, and hands over what it answers: nothing if it is gone. */
type Asked = (take: (nodes: readonly NodeDescription[]) => void) => void;

/** The workers, for the owner of the log, through which they also reach each other. */
export class OwnerProcesses implements OtherProcesses {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #forwarded: ForwardedBytes;
  /** Those that are ready to be asked, by what they call themselves. */
  readonly #lines = new Map<string, Line>();
  #own: ProcessConnections | null = null;

  constructor({ clock, limits }: OwnerProcessesOptions) {
    this.#clock = clock;
    this.#timeoutMs = limits.workerAnswerTimeoutMs;
    this.#forwarded = new ForwardedBytes(limits.centrifugeForwardedBytesMax);
  }

  attach(own: ProcessConnections): void {
    this.#own = own;
  }

  /** Takes a worker in, whose end of the line is with a `WorkerProcesses`. To be called when the line comes. */
  serve(line: Line): void {
    line.onTold('centrifuge', (node) => this.#lines.set(node.toString('utf8'), line));
    line.onAsked('centrifuge', (question, answer) => {
      if (question[0] === EMULATE) this.#relay(question, answer);
      else this.#request(question, line, (nodes) => answer(descriptionsMessage(nodes)));
    });
    line.onClosed(() => {
      for (const [node, each] of this.#lines) if (each === line) this.#lines.delete(node);
    });
  }

  act(action: ClientAction, done: () => void): void {
    this.#gather(this.#askLines(requestMessage({ action }), null), done);
  }

  describe(done: (nodes: readonly NodeDescription[]) => void): void {
    this.#gather(this.#askLines(requestMessage({ action: null }), null), done);
  }

  emulate(node: string, session: string, commands: Buffer, done: Take): void {
    this.#forwarded.send(commands, done, (settle) =>
      this.#forward(node, emulateMessage(node, session, commands), settle),
    );
  }

  /** Hands commands over that a worker took for another process. What is on its way is counted by that worker. */
  #relay(question: Buffer, answer: (answer: Buffer | TidegateError) => void): void {
    const { node, session, commands } = readEmulate(question);
    if (node === this.#own?.node) {
      answer(this.#own.emulate(session, commands) ? TAKEN : NOT_TAKEN);
      return;
    }
    this.#forward(node, question, (outcome) => {
      if (outcome instanceof TidegateError) answer(outcome);
      else answer(outcome === 'taken' ? TAKEN : NOT_TAKEN);
    });
  }

  #forward(node: string, message: Buffer, settle: Take): void {
    const line = this.#lines.get(node);
    if (line === undefined) {
      settle('unknown_session');
      return;
    }
    line.ask('centrifuge', message, (error, answer) => {
      // The session ended with its process.
      const isTaken = error === null && answer.equals(TAKEN);
      settle(isTaken ? 'taken' : 'unknown_session');
    });
  }

  /** Does what a worker asks of all others, of which this process is one. */
  #request(question: Buffer, asking: Line, done: (nodes: readonly NodeDescription[]) => void): void {
    const own: Asked[] = this.#own === null ? [] : [this.#askOwn(this.#own, question)];
    this.#gather([...own, ...this.#askLines(question, asking)], done);
  }

  #askOwn(own: ProcessConnections, question: Buffer): Asked {
    return (take) => answerRequest(own, readRequest(question), take);
  }

  #askLines(question: Buffer, except: Line | null): Asked[] {
    const lines = [...this.#lines.values()].filter((line) => line !== except);
    return lines.map((line) => (take) => {
      line.ask('centrifuge', question, (error, answer) =>
        take(error === null ? readDescriptions(answer) : []),
      );
    });
  }

  /** Asks several processes at once, and waits for them no longer than it may. */
  #gather(asked: readonly Asked[], done: (nodes: readonly NodeDescription[]) => void): void {
    if (asked.length === 0) {
      done([]);
      return;
    }
    const nodes: NodeDescription[] = [];
    let [waiting, isDone] = [asked.length, false];
    const finish = (): void => {
      if (isDone) return;
      isDone = true;
      this.#clock.clearTimer(timer);
      done(nodes);
    };
    const timer = this.#clock.setTimer(finish, this.#timeoutMs);
    for (const ask of asked) {
      ask((answer) => {
        if (!isDone) nodes.push(...answer);
        if (--waiting === 0) finish();
      });
    }
  }
}
