import type { TidegateError } from '../../kernel/index.ts';

/** What is to be taken out of caches: the answers for one URL, for all that begin with a text, or those that have a surrogate key. */
export type WantedPurge =
  | { readonly url: string }
  | { readonly prefix: string }
  | { readonly surrogateKey: string };

/**
 * Takes it out of the caches of all processes of the server. Calls back once: with null when none of it is served any more, or with the error:
 * purge_invalid, purge_rate_exceeded, worker_unavailable.
 * @param credential whose purges they are, as `Identity.name` names it
 */
export type CachePurger = (
  purges: readonly WantedPurge[],
  credential: string,
  done: (error: TidegateError | null) => void,
) => void;
