import { TidegateError } from '../../kernel/index.ts';
import { normalTarget, uriOf } from './cache-key.ts';

/** What is to be purged: one URI, all that begin with a text, or all responses that their origin gave a surrogate key. */
export type PurgeRequest =
  /** An absolute http or https URI, as clients ask for it. */
  | { readonly url: string }
  /** As `url`, with at least the slash after the host: `https://api.example/users/` or `https://api.example/users/1`. */
  | { readonly prefix: string }
  | { readonly surrogateKey: string };

const MEMBERS = ['url', 'prefix', 'surrogateKey'] as const;

/** Takes a request from JSON: an object with one of the three members, a text. Fails with purge_invalid. */
export function purgeRequestOf(value: unknown): PurgeRequest {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [[name, text] = []] = members;
  const member = MEMBERS.find((known) => known === name);
  if (members.length !== 1 || member === undefined || typeof text !== 'string')
    throw new TidegateError(
      'purge_invalid',
      'What is to be purged has one member, a text: url, prefix or surrogateKey.',
    );
  return { [member]: text } as unknown as PurgeRequest;
}

/** What a purge has done. From now on nothing of what it names is served, even if it is still being taken out (`sweeping`). */
export interface PurgeResult {
  /** How many responses have been taken out so far. */
  readonly responses: number;
  readonly state: 'done' | 'sweeping';
}

/** A purge of many responses. */
export type WidePurge =
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'surrogateKey'; readonly surrogateKey: string };

/** A purge that has been read: URIs are as the cache's keys are. */
export type Purge = { readonly kind: 'url'; readonly uri: string } | WidePurge;

const ABSOLUTE = /^(https?):\/\/([^/?#\s]+)(\/[^#\s]*)?$/i;

/** Reads a request, which people write. Fails with purge_invalid. */
export function readPurge(request: PurgeRequest): Purge {
  if ('surrogateKey' in request) {
    if (!/^[^\s,]+$/.test(request.surrogateKey))
      throw new TidegateError('purge_invalid', 'A surrogate key is not empty, and has no spaces or commas.');
    return { kind: 'surrogateKey', surrogateKey: request.surrogateKey };
  }
  if ('url' in request)
    return { kind: 'url', uri: keyOf(request.url, (target = '/') => normalTarget(target)) };
  // A prefix may end in the middle of anything, so that nothing but its host can be made normal.
  return { kind: 'prefix', prefix: keyOf(request.prefix, (target) => target ?? null) };
}

/** @param targetFor makes a target of what stands behind the host, if anything does; null if it cannot be one */
function keyOf(text: string, targetFor: (target: string | undefined) => string | null): string {
  const match = ABSOLUTE.exec(text);
  const target = targetFor(match?.[3]);
  if (match === null || target === null) {
    throw new TidegateError(
      'purge_invalid',
      `${JSON.stringify(text)} does not begin with http:// or https://, a host and a slash.`,
    );
  }
  return uriOf({ scheme: match[1].toLowerCase() === 'http' ? 'http' : 'https', host: match[2], target });
}

/** Whether a purge is about a response with this URI and these surrogate keys. */
export function concerns(purge: WidePurge, uri: string, surrogateKeys: readonly string[]): boolean {
  return purge.kind === 'prefix' ? uri.startsWith(purge.prefix) : surrogateKeys.includes(purge.surrogateKey);
}

/**
 * The latest purges of many responses, in order. A response that was on its way during one must not be stored after it, and its surrogate keys
 * are known only once it is there.
 */
export class PurgeLog {
  readonly #purges: WidePurge[] = [];
  readonly #purgesMax: number;
  #sequence = 0;

  /** @param purgesMax how many are remembered; of what began before them all, the worst is assumed */
  constructor(purgesMax: number) {
    this.#purgesMax = purgesMax;
  }

  /** How many purges there have been. */
  get sequence(): number {
    return this.#sequence;
  }

  add(purge: WidePurge): void {
    this.#purges[this.#sequence++ % this.#purgesMax] = purge;
  }

  /**
   * Whether a response may have been purged that was asked for when there had been `since` purges.
   * @param surrogateKeys null if they are not known yet
   */
  mayConcern(since: number, uri: string, surrogateKeys: readonly string[] | null): boolean {
    if (this.#sequence - since > this.#purgesMax) return true;
    for (let at = since; at < this.#sequence; at++) {
      const purge = this.#purges[at % this.#purgesMax];
      if (surrogateKeys === null && purge.kind === 'surrogateKey') return true;
      if (concerns(purge, uri, surrogateKeys ?? [])) return true;
    }
    return false;
  }
}
