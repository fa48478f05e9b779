import type { Buffer } from 'node:buffer';
import { ByteReader, type LineAnswer, type TidegateError } from '../kernel/index.ts';

type Done<Outcome> = (outcome: Outcome | TidegateError) => void;

/** A question, and who waits for it to be asked once more. */
interface Question<Outcome> {
  readonly bytes: Buffer;
  waiting: Done<Outcome>[];
  isUnderWay: boolean;
}

/** What the questions of one kind are asked and understood by. */
export interface SharedQuestionsOptions<Outcome> {
  readonly ask: (question: Uint8Array, done: LineAnswer) => void;
  readonly read: (answer: ByteReader) => Outcome;
  /** How many are asked at a time; the others wait. */
  readonly underWayMax: number;
}

/**
 * Questions whose answers are long. A thousand clients that ask the same at once get a few answers together, and never are so many on the way
 * that a line would be given up for them. Nobody gets an answer to a question that was asked before it came.
 */
export class SharedQuestions<Outcome> {
  readonly #options: SharedQuestionsOptions<Outcome>;
  /** By their bytes, those first that have waited longest. */
  readonly #questions = new Map<string, Question<Outcome>>();
  #underWay = 0;

  constructor(options: SharedQuestionsOptions<Outcome>) {
    this.#options = options;
  }

  ask(bytes: Buffer, done: Done<Outcome>): void {
    const key = bytes.toString('latin1');
    let question = this.#questions.get(key);
    if (question === undefined) {
      question = { bytes, waiting: [], isUnderWay: false };
      this.#questions.set(key, question);
    }
    question.waiting.push(done);
    if (!question.isUnderWay && this.#underWay < this.#options.underWayMax) this.#send(key, question);
  }

  #send(key: string, question: Question<Outcome>): void {
    const callers = question.waiting;
    question.waiting = [];
    question.isUnderWay = true;
    this.#underWay++;
    this.#options.ask(question.bytes, (error, answer) => {
      question.isUnderWay = false;
      this.#underWay--;
      // Others that have waited are asked before it is asked again.
      this.#questions.delete(key);
      if (question.waiting.length > 0) this.#questions.set(key, question);
      this.#sendNext();
      const outcome = error ?? this.#options.read(new ByteReader(answer));
      for (const done of callers) done(outcome);
    });
  }

  #sendNext(): void {
    for (const [key, question] of this.#questions) {
      if (this.#underWay >= this.#options.underWayMax) return;
      if (!question.isUnderWay) this.#send(key, question);
    }
  }
}
