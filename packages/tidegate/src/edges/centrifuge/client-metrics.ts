import type { Counter, Metrics } from '../../kernel/index.ts';
import { DISCONNECT } from './status.ts';

/** What the figures are read from. */
export interface Observed {
  readonly connections: () => number;
  /** Memberships in all channels. */
  readonly members: () => number;
  /** Memberships that were not listed, as there were too many. */
  readonly unlisted: () => number;
}

/** The figures of Centrifuge clients. */
export class ClientMetrics {
  readonly #byCode: ReadonlyMap<number, Counter>;
  /** Codes that the server API was told to disconnect with. */
  readonly #other: Counter;

  constructor(metrics: Metrics, observed: Observed) {
    const disconnects = {
      name: 'tidegate_centrifuge_disconnects_total',
      help: 'Centrifuge clients that the server disconnected, by code.',
      labels: ['code'],
    };
    this.#byCode = new Map(
      Object.values(DISCONNECT).map(({ code }) => [code, metrics.counter(disconnects, [String(code)])]),
    );
    this.#other = metrics.counter(disconnects, ['other']);
    metrics.observedGauge(
      {
        name: 'tidegate_centrifuge_connections',
        help: 'Centrifuge clients that are past their connect command.',
      },
      observed.connections,
    );
    metrics.observedGauge(
      { name: 'tidegate_presence_members', help: 'Memberships in all channels together.' },
      observed.members,
    );
    metrics.observedGauge(
      {
        name: 'tidegate_presence_unlisted',
        help: 'Memberships since the start that were beyond limits.presenceMembersMax.',
      },
      observed.unlisted,
    );
  }

  disconnected(code: number): void {
    (this.#byCode.get(code) ?? this.#other).add(1);
  }
}
