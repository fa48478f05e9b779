import type { SessionRule } from '../../wire/grip/index.ts';

/** A rule, and for which requests it holds. */
export interface ScopedRule extends SessionRule {
  /** Which origin it is of: see `GripRoute.sessionScope`. */
  readonly scope: string;
  /** Of the request whose answer it came with, in lower case and without a port. */
  readonly host: string;
}

/** How origins have said that sessions are to be found in requests; the oldest is forgotten for one too many. */
export class SessionRules {
  readonly #rulesMax: number;
  readonly #rules = new Map<string, ScopedRule>();

  constructor(rulesMax: number) {
    this.#rulesMax = rulesMax;
  }

  /** Returns whether it is new. */
  add(rule: ScopedRule): boolean {
    const key = JSON.stringify(rule);
    const isNew = !this.#rules.has(key);
    // Origins repeat their rules with each answer: those that are in use stay.
    this.#rules.delete(key);
    this.#rules.set(key, rule);
    if (this.#rules.size > this.#rulesMax) {
      const [oldest] = this.#rules.keys();
      this.#rules.delete(oldest);
    }
    return isNew;
  }

  get all(): readonly ScopedRule[] {
    return [...this.#rules.values()];
  }

  /** Those for a request, those that an origin has repeated last come last. */
  for(scope: string, host: string, path: string): readonly SessionRule[] {
    const matching: SessionRule[] = [];
    for (const rule of this.#rules.values()) {
      if (rule.scope === scope && rule.host === host && path.startsWith(rule.pathPrefix)) matching.push(rule);
    }
    return matching;
  }
}
