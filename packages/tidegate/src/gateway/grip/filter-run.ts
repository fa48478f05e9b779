import type { AskingFilter, FilterContext, MessageFilter } from '../../wire/grip/index.ts';
import type { Asked, FilterRequests, FilterScope } from './filter-requests.ts';
import type { Cancel } from './ordered-work.ts';

/** How content is filtered for one subscriber. */
export interface FilterTerms {
  readonly steps: readonly (MessageFilter | AskingFilter)[];
  readonly context: FilterContext;
  readonly scope: FilterScope;
  readonly requests: FilterRequests;
}

/** Applies filters one after the other, as long as there is content; some of them ask the origin, which takes time. `done` comes once, also before this returns. */
export function runFilters(content: Uint8Array, terms: FilterTerms, done: (asked: Asked) => void): Cancel {
  const run = new FilterRun(terms, done);
  run.step(content, 0);
  return () => run.cancel();
}

class FilterRun {
  readonly #terms: FilterTerms;
  readonly #done: (asked: Asked) => void;
  #cancel: Cancel | null = null;

  constructor(terms: FilterTerms, done: (asked: Asked) => void) {
    this.#terms = terms;
    this.#done = done;
  }

  step(content: Uint8Array, index: number): void {
    const { steps, context, scope, requests } = this.#terms;
    const filter = steps[index];
    if (filter === undefined) this.#done(content);
    else if (typeof filter === 'function') this.#goOn(filter(content, context), index);
    else {
      this.#cancel = requests.ask({ ...scope, filter, content, context }, (asked) =>
        this.#goOn(asked, index),
      );
    }
  }

  #goOn(asked: Asked, index: number): void {
    if (typeof asked === 'string') this.#done(asked);
    else this.step(asked, index + 1);
  }

  cancel(): void {
    this.#cancel?.();
  }
}
