import { type Line, lineJson, readLineJson, TidegateError } from '../kernel/index.ts';

/** What the owner asks of a worker's life. */
export type LifeQuestion =
  /** Begin to serve, as worker number `worker` and as `setup` says; answered once it does. */
  | { readonly about: 'serve'; readonly worker: number; readonly setup: unknown }
  /** Still there? Answered with null. */
  | { readonly about: 'pulse' }
  /** Its metrics. */
  | { readonly about: 'figures' }
  /** Read the certificates anew. */
  | { readonly about: 'reload' }
  /** Finish what is under way and end; answered by ending. */
  | { readonly about: 'drain' };

/** What a worker does about its life; each answer is JSON. */
export type LifeAnswers = Readonly<
  Record<LifeQuestion['about'], (question: LifeQuestion) => Promise<unknown>>
>;

/** Asks a worker; the promise is rejected with worker_unavailable if it is gone. */
export function askLife<Answer>(line: Line, question: LifeQuestion): Promise<Answer> {
  return new Promise((resolve, reject) => {
    line.ask('life', lineJson(question), (error, answer) => {
      if (error === null) resolve(readLineJson<Answer>(answer));
      else reject(error);
    });
  });
}

/** Answers the owner from now on. */
export function answerLife(line: Line, answers: LifeAnswers): void {
  line.onAsked('life', (bytes, answer) => {
    const question = readLineJson<LifeQuestion>(bytes);
    answers[question.about](question).then(
      (result) => answer(lineJson(result ?? null)),
      (error: unknown) => answer(TidegateError.from(error)),
    );
  });
}
