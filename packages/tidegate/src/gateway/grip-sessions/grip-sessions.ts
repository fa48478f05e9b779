import {
  type Clock,
  type Limits,
  type Line,
  type Logger,
  lineJson,
  type Metrics,
  readLineJson,
} from '../../kernel/index.ts';
import type { GripInstruct, SessionRule } from '../../wire/grip/index.ts';
import { isUsable } from './session-id.ts';
import { SessionMetrics } from './session-metrics.ts';
import { type ScopedRule, SessionRules } from './session-rules.ts';
import { type SessionIds, SessionStore } from './session-store.ts';
import { type SessionKeeper, SessionTrack } from './session-track.ts';

/** What instructions of one origin say of sessions is said of these. */
export interface SessionScope {
  /** Null where sessions are off. */
  readonly sessionScope: string | null;
}

export interface GripSessionsOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

type Mode = Parameters<SessionKeeper['put']>[2];

/** What processes tell each other: rules that are new, or what clients have. */
interface Told {
  readonly rules?: readonly ScopedRule[];
  readonly puts?: readonly (readonly [
    key: string,
    ids: readonly (readonly [string, string])[],
    mode: Mode,
  ])[];
}

/**
 * Sessions of GRIP. What clients have is known in one process, the owner of the log, as they may come back to any; how sessions are found in requests is known in
 * all, so that only a request that has one costs a question.
 */
export class GripSessions implements SessionKeeper {
  readonly #options: GripSessionsOptions;
  readonly #rules: SessionRules;
  readonly #store: SessionStore;
  readonly #metrics: SessionMetrics;
  readonly #workers = new Set<Line>();
  #owner: Line | null = null;
  /** What is to be told the owner at the end of the turn. */
  #unsaid: (readonly [key: string, ids: SessionIds, mode: Mode])[] = [];

  constructor(options: GripSessionsOptions) {
    const { clock, limits, metrics } = options;
    this.#options = options;
    this.#rules = new SessionRules(limits.gripSessionRulesMax);
    this.#store = new SessionStore(clock, limits);
    this.#metrics = new SessionMetrics(metrics, this.#store);
  }

  // --- What instructions say. ---

  /**
   * Takes what an instruction says of sessions; returns what follows the client's, if it has one.
   * @param authority the host that the client asked for
   */
  follow(
    { sessionScope: scope }: SessionScope,
    authority: string,
    instruct: GripInstruct,
  ): SessionTrack | null {
    if (scope === null) return null;
    const host = hostOf(authority);
    const learned = instruct.sessionDetect
      .map((rule) => ({ ...rule, scope, host }))
      .filter((rule) => this.#rules.add(rule));
    if (learned.length > 0) this.#tell({ rules: learned }, null);
    if (instruct.sessionId === null) return null;
    const track = this.track(scope, instruct.sessionId, instruct.lastIds);
    // It comes with the answer itself.
    for (const { name, prevId } of instruct.channels) if (prevId !== null) track?.sent(name, prevId);
    return track;
  }

  /** Null for an id that is not one. */
  track(scope: string | null, id: string, ids: SessionIds = new Map()): SessionTrack | null {
    if (scope === null || !isUsable(id, this.#options.limits.gripSessionIdBytesMax)) return null;
    return new SessionTrack(this, keyOf(scope, id), ids);
  }

  put(key: string, ids: SessionIds, mode: Mode): void {
    if (this.#owner === null) {
      this.#store.put(key, ids, mode);
      return;
    }
    if (this.#unsaid.length === 0) this.#options.clock.endOfTurn(() => this.#say());
    this.#unsaid.push([key, new Map(ids), mode]);
  }

  #say(): void {
    const puts = this.#unsaid.map(([key, ids, mode]) => [key, [...ids], mode] as const);
    this.#unsaid = [];
    if (puts.length > 0) this.#tell({ puts }, null);
  }

  // --- What requests ask. ---

  /** How a session is found in a request; empty if it is not to be looked for. */
  rulesFor(scope: string, authority: string, path: string): readonly SessionRule[] {
    return this.#rules.for(scope, hostOf(authority), path);
  }

  /** What the client of a session has; null if nothing is known of it. `done` comes once, also before this returns. */
  idsOf(scope: string, id: string, done: (ids: SessionIds | null) => void): void {
    const key = keyOf(scope, id);
    const answer = (ids: SessionIds | null): void => {
      this.#metrics.detected(ids);
      done(ids);
    };
    if (this.#owner === null) {
      const ids = this.#store.idsOf(key);
      answer(ids === null ? null : new Map(ids));
      return;
    }
    this.#say();
    this.#owner.ask('sessions', lineJson({ ids: key }), (error, found) => {
      if (error !== null)
        this.#options.logger.warn({ error }, 'What a client of a session has cannot be found out');
      const ids = error === null ? readLineJson<readonly (readonly [string, string])[] | null>(found) : null;
      answer(ids === null ? null : new Map(ids));
    });
  }

  // --- Other processes. ---

  /** Another process, at the other end of the line: every worker for the owner, the owner for a worker. */
  serve(line: Line): void {
    line.onTold('sessions', (message) => this.#hear(readLineJson<Told>(message), line));
    if (line.peer === 0) {
      this.#owner = line;
      line.ask('sessions', lineJson({ ids: null }), (error, rules) => {
        if (error === null) this.#hear({ rules: readLineJson<readonly ScopedRule[]>(rules) }, line);
      });
      return;
    }
    this.#workers.add(line);
    line.onClosed(() => this.#workers.delete(line));
    line.onAsked('sessions', (question, answer) => {
      const { ids: key } = readLineJson<{ readonly ids: string | null }>(question);
      if (key === null) {
        answer(lineJson(this.#rules.all));
        return;
      }
      const ids = this.#store.idsOf(key);
      answer(lineJson(ids === null ? null : [...ids]));
    });
  }

  #hear({ rules = [], puts = [] }: Told, from: Line): void {
    const learned = rules.filter((rule) => this.#rules.add(rule));
    if (learned.length > 0) this.#tell({ rules: learned }, from);
    for (const [key, ids, mode] of puts) this.#store.put(key, new Map(ids), mode);
  }

  #tell(told: Told, except: Line | null): void {
    const lines = this.#owner === null ? this.#workers : [this.#owner];
    for (const line of lines) if (line !== except) line.tell('sessions', lineJson(told));
  }
}

/** No scope has a line end in it. */
const keyOf = (scope: string, id: string): string => `${scope}\n${id}`;

const hostOf = (authority: string): string => authority.toLowerCase().replace(/:[0-9]*$/, '');
