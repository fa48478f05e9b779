import type { Line } from '../../kernel/index.ts';
import type { GripProcess } from './port.ts';
import { answerOf, READY } from './process-messages.ts';

/** Lets a worker be asked by the owner of the log, at the other end of the line, about those whom GRIP holds in it. */
export function serveProcess(line: Line, own: GripProcess): void {
  line.onAsked('grip', (question, answer) => answer(answerOf(own, question)));
  // There is one thing only that it is told.
  line.onTold('grip', () => own.recover());
  line.tell('grip', READY);
}
