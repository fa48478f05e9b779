import type { Identity } from '../../access/port.ts';
import { type ApiContext, type ApiOutcome, callApi } from './api.ts';

/** A method with its parameters. */
export type NamedCall = readonly [name: string, params: unknown];

/** What these do is done in all processes before the next call begins, as it would be in a single one. */
const WAITED_FOR: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe', 'disconnect', 'refresh']);

/**
 * Calls several methods of the server API, in order. Publishes need not wait for each other: their order is that of the calls all the same.
 * Calls back once, with an outcome for each.
 */
export function callInOrder(
  context: ApiContext,
  identity: Identity,
  calls: readonly NamedCall[],
  done: (outcomes: readonly ApiOutcome[]) => void,
): void {
  const outcomes: ApiOutcome[] = [];
  let [next, waiting] = [0, calls.length];
  const run = (): void => {
    while (next < calls.length) {
      const index = next++;
      const [name, params] = calls[index];
      const call = { isAnswered: false, holdsOthers: false };
      callApi(context, identity, name, params, (outcome) => {
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
