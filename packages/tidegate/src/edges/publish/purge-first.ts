import type { AccessChannels } from '../../access/port.ts';
import type { HttpExchange } from '../../listeners/port.ts';
import { refuse } from '../refusal.ts';
import type { CachePurger, WantedPurge } from './port.ts';

/**
 * What a request purges before it publishes. The order is what makes it worth having: whoever hears of the event and asks again must not be given the
 * answer from before it. So nothing is stored before every process has forgotten what was named, and if that fails, nothing is stored at all. The
 * other way round an event could be published whose answers stay the old ones.
 */
export class PurgeFirst {
  readonly #exchange: HttpExchange;
  readonly #channels: AccessChannels;
  readonly #purges: readonly WantedPurge[];
  readonly #purge: CachePurger;

  /** @throws TidegateError as `AccessChannels.purgeAs`, before anything of the body is received */
  constructor(
    exchange: HttpExchange,
    channels: AccessChannels,
    purges: readonly WantedPurge[],
    purge: CachePurger,
  ) {
    channels.purgeAs();
    this.#exchange = exchange;
    this.#channels = channels;
    this.#purges = purges;
    this.#purge = purge;
  }

  /** Purges, and then publishes. What goes wrong with the purge is answered. */
  before(publish: () => void): void {
    let credential: string;
    try {
      // It may have been revoked while the body came.
      credential = this.#channels.purgeAs();
    } catch (error) {
      refuse(this.#exchange, error);
      return;
    }
    this.#purge(this.#purges, credential, (error) => {
      if (error === null) publish();
      else this.#exchange.fail(error);
    });
  }
}
