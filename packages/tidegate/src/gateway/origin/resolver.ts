import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { type Clock, TidegateError } from '../../kernel/index.ts';

/** Called with the addresses of a name, at least one. */
export type AddressesCallback = (error: TidegateError | null, addresses: readonly string[]) => void;

/** Asks the system for the addresses of a name. */
export type NameLookup = (
  host: string,
  done: (error: Error | null, addresses: readonly string[]) => void,
) => void;

/** What `/etc/hosts` and the name servers of the machine say. */
export const systemLookup: NameLookup = (host, done) => {
  lookup(host, { all: true, order: 'verbatim' }, (error, found) => {
    done(error, error === null ? found.map(({ address }) => address) : []);
  });
};

export interface ResolverOptions {
  readonly host: string;
  /** How long an answer counts, in milliseconds. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly lookup: NameLookup;
  /** The addresses are others than before. */
  readonly changed?: (addresses: readonly string[]) => void;
}

/**
 * The addresses of one name. They are asked for again once they are old, while those that are known go on being used: a name server that is
 * slow or down costs nobody a request, and a target that moves is found.
 */
export class Resolver {
  readonly #options: ResolverOptions;
  #addresses: readonly string[] = [];
  #resolvedMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;
  #waiting: AddressesCallback[] = [];

  constructor(options: ResolverOptions) {
    this.#options = options;
    if (isIP(options.host) !== 0) {
      this.#addresses = [options.host];
      this.#resolvedMs = Number.POSITIVE_INFINITY;
    }
  }

  /** At once, if some are known. Fails with upstream_unavailable if none can be had. */
  resolve(done: AddressesCallback): void {
    const { clock, ttlMs } = this.#options;
    if (clock.monotonicMs() - this.#resolvedMs > ttlMs) this.#ask();
    if (this.#addresses.length > 0) done(null, this.#addresses);
    else this.#waiting.push(done);
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { host, clock, lookup: ask } = this.#options;
    ask(host, (error, addresses) => {
      this.#isAsking = false;
      if (error === null && addresses.length > 0) {
        this.#resolvedMs = clock.monotonicMs();
        this.#adopt(addresses);
      } else {
        // The next request asks again; until then the earlier ones, if there are any, are the best that is known.
        this.#answer(
          new TidegateError('upstream_unavailable', `The name ${host} resolves to no address.`, {
            cause: error,
          }),
        );
      }
    });
  }

  #adopt(addresses: readonly string[]): void {
    const isSame =
      addresses.length === this.#addresses.length &&
      addresses.every((address) => this.#addresses.includes(address));
    const isFirst = this.#addresses.length === 0;
    if (!isSame) {
      this.#addresses = addresses;
      if (!isFirst) this.#options.changed?.(addresses);
    }
    this.#answer(null);
  }

  #answer(error: TidegateError | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) {
      if (this.#addresses.length > 0) done(null, this.#addresses);
      else done(error, []);
    }
  }
}
