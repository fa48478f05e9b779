import { type Line, lineJson, readLineJson } from '../../kernel/index.ts';
import type { HttpCache } from './http-cache.ts';
import type { PurgeRequest } from './purge.ts';

/**
 * Lets what one process of the server takes out of its cache be taken out of those of all others: every process has a cache of its own. The owner hears
 * of each and tells the others.
 */
export class SharedPurges {
  readonly #cache: HttpCache;
  readonly #lines = new Set<Line>();

  constructor(cache: HttpCache) {
    this.#cache = cache;
  }

  /** Another process, at the other end of the line: every worker for the owner, the owner for a worker. */
  join(line: Line): void {
    this.#lines.add(line);
    line.onClosed(() => this.#lines.delete(line));
    line.onTold('purge', (message) => {
      const request = readLineJson<PurgeRequest>(message);
      this.#cache.carryOut(request);
      this.#tell(request, line);
    });
  }

  /** This process has carried it out. */
  share(request: PurgeRequest): void {
    this.#tell(request, null);
  }

  #tell(request: PurgeRequest, except: Line | null): void {
    if (this.#lines.size === 0) return;
    const message = lineJson(request);
    for (const line of this.#lines) if (line !== except) line.tell('purge', message);
  }
}
