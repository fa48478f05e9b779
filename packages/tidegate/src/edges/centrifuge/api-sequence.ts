import type { ApiOutcome } from './api-outcome.ts';

/** A method with its parameters. */
export type NamedCall = readonly [name: string, params: unknown];

/** Calls one method. Calls back once, now or later. */
export type CallOne = (name: string, params: unknown, done: (outcome: ApiOutcome) => void) => void;

/** What these do is done in all processes before the next call begins, as it would be in a single one. */
const WAITED_FOR: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe', 'disconnect', 'refresh']);

/**
 * Calls several methods of the server API, in order. Publishes need not wait for each other: their order is that of the calls all the same.
 * Calls back once, with an outcome for each.
 */
export function callInOrder(
  calls: readonly NamedCall[],
  callOne: CallOne,
  done: (outcomes: readonly ApiOutcome[]) => void,
): void {
  const outcomes: ApiOutcome[] = [];
  let [next, waiting] = [0, calls.length];
  const run = (): void => {
    while (next < calls.length) {
      const index = next++;
      const [name, params] = calls[index];
      const call = { isAnswered: false, holdsOthers: false };
      callOne(name, params, (outcome) => {
        call.isAnswered = true;
        outcomes[index] = outcome;
        if (--waiting === 0) done(outcomes);
        else if (call.holdsOthers) run();
      });
      if (!call.isAnswered && WAITED_FOR.has(name)) {
        call.holdsOthers = true;
        return;
      }
    }
  };
  if (calls.length === 0) done([]);
  else run();
}
