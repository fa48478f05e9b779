import type { Counter, Metrics } from '../kernel/index.ts';

/** What the client and the server have agreed to speak. */
export type SecureProtocol = 'h2' | 'http/1.1';

/** The figures of TLS handshakes. */
export class TlsMetrics {
  readonly #outcomes: Readonly<Record<SecureProtocol | 'failed', Counter>>;

  constructor(metrics: Metrics) {
    const handshakes = {
      name: 'tidegate_tls_handshakes_total',
      help: 'TLS handshakes, by the protocol that was agreed on or by failure.',
      labels: ['outcome'],
    };
    this.#outcomes = {
      h2: metrics.counter(handshakes, ['h2']),
      'http/1.1': metrics.counter(handshakes, ['http/1.1']),
      failed: metrics.counter(handshakes, ['failed']),
    };
  }

  succeeded(protocol: SecureProtocol): void {
    this.#outcomes[protocol].add(1);
  }

  failed(): void {
    this.#outcomes.failed.add(1);
  }
}
