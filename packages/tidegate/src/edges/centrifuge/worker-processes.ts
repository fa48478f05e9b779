import { Buffer } from 'node:buffer';
import type { Limits, Line, TidegateError } from '../../kernel/index.ts';
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

/** The owner and the other workers, for a worker: the owner asks the others in its place, and waits for them no longer than it may. */
export class WorkerProcesses implements OtherProcesses {
  readonly #line: Line;
  readonly #forwarded: ForwardedBytes;

  constructor(line: Line, limits: Limits) {
    this.#line = line;
    this.#forwarded = new ForwardedBytes(limits.centrifugeForwardedBytesMax);
  }

  attach(own: ProcessConnections): void {
    this.#line.onAsked('centrifuge', (question, answer) => answerTo(own, question, answer));
    this.#line.tell('centrifuge', Buffer.from(own.node));
  }

  act(action: ClientAction, done: () => void): void {
    this.#request(action, done);
  }

  describe(done: (nodes: readonly NodeDescription[]) => void): void {
    this.#request(null, done);
  }

  emulate(node: string, session: string, commands: Buffer, done: (outcome: EmulationOutcome) => void): void {
    this.#forwarded.send(commands, done, (settle) => {
      const message = emulateMessage(node, session, commands);
      this.#line.ask('centrifuge', message, (error: TidegateError | null, answer) => {
        if (error !== null) settle(error);
        else settle(answer.equals(TAKEN) ? 'taken' : 'unknown_session');
      });
    });
  }

  #request(action: ClientAction | null, done: (nodes: readonly NodeDescription[]) => void): void {
    this.#line.ask('centrifuge', requestMessage({ action }), (error, answer) =>
      done(error === null ? readDescriptions(answer) : []),
    );
  }
}

function answerTo(own: ProcessConnections, question: Buffer, answer: (answer: Buffer) => void): void {
  if (question[0] === EMULATE) {
    const { session, commands } = readEmulate(question);
    answer(own.emulate(session, commands) ? TAKEN : NOT_TAKEN);
  } else {
    answerRequest(own, readRequest(question), (nodes) => answer(descriptionsMessage(nodes)));
  }
}
