import { EMPTY, type Line, lineJson, readLineJson, TidegateError } from '../../kernel/index.ts';
import type { HttpCache } from './http-cache.ts';
import type { PurgeRequest, PurgeResult } from './purge.ts';

/** Called once: with the error, or with what this process has taken out, when no process serves anything of it any more. */
export type PurgeCallback = (outcome: PurgeResult | TidegateError) => void;

/** What is asked of another process. */
interface PurgeQuestion {
  readonly requests: readonly PurgeRequest[];
  /** Whose purges are to be counted; null if the owner has counted them. */
  readonly credential: string | null;
}

/**
 * Lets what one process of the server takes out of its cache be taken out of those of all others: every process has a cache of its own. The owner
 * hears of each and passes it on. It also counts how often each credential purges.
 */
export class SharedPurges {
  readonly #cache: HttpCache;
  /** To the owner; null in the owner itself. */
  #owner: Line | null = null;
  readonly #workers = new Set<Line>();

  constructor(cache: HttpCache) {
    this.#cache = cache;
  }

  /** Another process, at the other end of the line: every worker for the owner, the owner for a worker. */
  join(line: Line): void {
    if (line.peer === 0) this.#owner = line;
    else {
      this.#workers.add(line);
      line.onClosed(() => this.#workers.delete(line));
    }
    line.onTold('purge', (message) => {
      const requests = readLineJson<readonly PurgeRequest[]>(message);
      this.#cache.carryOut(requests);
      this.#tellWorkers(requests, line);
    });
    line.onAsked('purge', (message, answer) => {
      const { requests, credential } = readLineJson<PurgeQuestion>(message);
      if (credential === null) {
        this.#cache.carryOut(requests);
        answer(EMPTY);
        return;
      }
      this.#cache.purge(requests, credential);
      this.#askWorkers(requests, line, (error) => answer(error ?? EMPTY));
    });
  }

  /**
   * Purges in all processes. Errors: purge_invalid, purge_rate_exceeded, and worker_unavailable if the owner is gone. After one, some processes may have
   * purged.
   * @param credential whose purges they are; empty for nobody in particular
   */
  purge(requests: readonly PurgeRequest[], credential: string, done: PurgeCallback): void {
    if (this.#owner !== null) {
      const question: PurgeQuestion = { requests, credential };
      this.#owner.ask('purge', lineJson(question), (error) => {
        done(error ?? attempt(() => this.#cache.carryOut(requests)));
      });
      return;
    }
    const result = attempt(() => this.#cache.purge(requests, credential));
    if (result instanceof TidegateError) done(result);
    else this.#askWorkers(requests, null, (error) => done(error ?? result));
  }

  /** This process has taken out what a request has changed. Nobody waits for the others. */
  share(requests: readonly PurgeRequest[]): void {
    if (requests.length === 0) return;
    this.#owner?.tell('purge', lineJson(requests));
    this.#tellWorkers(requests, null);
  }

  #tellWorkers(requests: readonly PurgeRequest[], except: Line | null): void {
    if (this.#workers.size === 0) return;
    const message = lineJson(requests);
    for (const line of this.#workers) if (line !== except) line.tell('purge', message);
  }

  /** Calls back when all have carried it out. A worker that is gone has no cache any more, and one that is starting has none yet. */
  #askWorkers(
    requests: readonly PurgeRequest[],
    except: Line | null,
    done: (error: TidegateError | null) => void,
  ): void {
    const lines = [...this.#workers].filter((line) => line !== except);
    let open = lines.length;
    if (open === 0) {
      done(null);
      return;
    }
    let failure: TidegateError | null = null;
    const question: PurgeQuestion = { requests, credential: null };
    const message = lineJson(question);
    for (const line of lines) {
      line.ask('purge', message, (error) => {
        if (error !== null && error.code !== 'worker_unavailable') failure ??= error;
        if (--open === 0) done(failure);
      });
    }
  }
}

function attempt(purge: () => PurgeResult): PurgeResult | TidegateError {
  try {
    return purge();
  } catch (error) {
    return TidegateError.from(error);
  }
}
