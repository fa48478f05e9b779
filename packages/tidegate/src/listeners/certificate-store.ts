import type { Buffer } from 'node:buffer';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import {
  type Clock,
  type Counter,
  FileWatch,
  type Logger,
  type Metrics,
  TidegateError,
} from '../kernel/index.ts';
import { type Certificate, loadAuthorities, loadCertificate } from './certificate.ts';
import type { TlsSettings } from './options.ts';

/** How often it is looked whether a file has changed. Certificates are renewed every few weeks. */
const LOOK_MS = 2000;

/** From when on the log warns, each time that certificates are read. */
const EXPIRY_WARNING_MS = 14 * 24 * 3600 * 1000;

/**
 * Suites that encrypt with authentication and whose past traffic stays secret when a key gets out: none of those that RFC 9113,
 * appendix A forbids.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface CertificateStoreOptions {
  readonly settings: TlsSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Certificates that are in use together: replaced as one. */
interface Snapshot {
  /** For clients that name no server, or one that nobody knows. */
  readonly first: SecureContextOptions;
  readonly byName: ReadonlyMap<string, SecureContext>;
  /** When the first of them ends. */
  readonly expiresMs: number;
}

/** The certificates of a listener, as their files last were when they were good. */
export class CertificateStore {
  readonly #options: CertificateStoreOptions;
  readonly #reloads: Readonly<Record<'ok' | 'failed', Counter>>;
  readonly #watch: FileWatch;
  readonly #changed: (first: SecureContextOptions) => void;
  #snapshot: Snapshot;
  #reloading: Promise<void> | null = null;

  private constructor(
    options: CertificateStoreOptions,
    snapshot: Snapshot,
    watch: FileWatch,
    changed: (first: SecureContextOptions) => void,
  ) {
    this.#options = options;
    this.#snapshot = snapshot;
    this.#watch = watch;
    this.#changed = changed;
    const reloads = {
      name: 'tidegate_tls_reloads_total',
      help: 'Times that certificates were read anew, by whether they were good.',
      labels: ['outcome'],
    };
    this.#reloads = {
      ok: options.metrics.counter(reloads, ['ok']),
      failed: options.metrics.counter(reloads, ['failed']),
    };
    options.metrics.observedGauge(
      {
        name: 'tidegate_tls_certificate_expiry_seconds',
        help: 'When the first certificate in use ends, in Unix time.',
        together: 'min',
      },
      () => Math.floor(this.#snapshot.expiresMs / 1000),
    );
    watch.start(() => this.reload());
    warnOfExpiry(options, snapshot);
  }

  /**
   * Reads the certificates. `changed` is called with the options of the first one whenever they are replaced.
   * @throws TidegateError tls_file_unreadable, tls_certificate_invalid
   */
  static async open(
    options: CertificateStoreOptions,
    changed: (first: SecureContextOptions) => void,
  ): Promise<CertificateStore> {
    const { settings, clock } = options;
    const watch = await FileWatch.open({ paths: filesOf(settings), clock, lookMs: LOOK_MS, tell: 'at once' });
    return new CertificateStore(options, await load(options), watch, changed);
  }

  /** What a connection begins with, before the client has named a server. */
  get first(): SecureContextOptions {
    return this.#snapshot.first;
  }

  /** The certificate for a name that a client asks for (RFC 6066, section 3); undefined leaves it with the first. */
  select(serverName: string): SecureContext | undefined {
    const { byName } = this.#snapshot;
    const name = serverName.toLowerCase().replace(/\.$/, '');
    // RFC 6125, section 6.4.3: a wildcard stands for exactly one label.
    return byName.get(name) ?? byName.get(name.replace(/^[^.]*/, '*'));
  }

  /** Reads the files anew. What cannot be used is logged, and what was in use stays. */
  reload(): Promise<void> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = null;
    });
    return this.#reloading;
  }

  close(): void {
    this.#watch.close();
  }

  async #reload(): Promise<void> {
    const { logger } = this.#options;
    try {
      // Looked at first: what changes while it is read is read again.
      await this.#watch.aboutToRead();
      const snapshot = await load(this.#options);
      this.#snapshot = snapshot;
      this.#changed(snapshot.first);
      this.#reloads.ok.add(1);
      logger.info({ expires: new Date(snapshot.expiresMs).toISOString() }, 'Certificates were read anew');
      warnOfExpiry(this.#options, snapshot);
    } catch (error) {
      const { code, detail } = TidegateError.from(error);
      this.#reloads.failed.add(1);
      logger.error({ code, detail, error }, 'Certificates cannot be used; the earlier ones stay in use');
    }
  }
}

/** Everything that the settings name, or the first thing that is wrong with it. */
async function load({ settings, clock }: CertificateStoreOptions): Promise<Snapshot> {
  const nowMs = clock.nowMs();
  const authorities =
    settings.clients === null ? undefined : await loadAuthorities(settings.clients.ca, nowMs);
  const byName = new Map<string, SecureContext>();
  let first: SecureContextOptions | null = null;
  let expiresMs = Number.POSITIVE_INFINITY;
  for (const files of settings.certificates) {
    const certificate = await loadCertificate(files, nowMs);
    const options = contextOptions(certificate, settings, authorities);
    const context = createContext(certificate, options);
    first ??= options;
    expiresMs = Math.min(expiresMs, certificate.expiresMs);
    for (const name of certificate.names) if (!byName.has(name)) byName.set(name, context);
  }
  if (first === null) throw new TidegateError('tls_certificate_invalid', 'No certificate is named.');
  return { first, byName, expiresMs };
}

function contextOptions(
  { chain, key }: Certificate,
  { minVersion }: TlsSettings,
  authorities: Buffer | undefined,
): SecureContextOptions {
  return {
    cert: chain,
    key,
    minVersion,
    ciphers: CIPHERS,
    honorCipherOrder: true,
    ...(authorities === undefined ? {} : { ca: authorities }),
  };
}

/** The library has rules of its own, such as a least size of keys. */
function createContext({ file }: Certificate, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TidegateError('tls_certificate_invalid', `${file}: ${reason}.`, { cause: error });
  }
}

function filesOf({ certificates, clients }: TlsSettings): readonly string[] {
  const files = certificates.flatMap(({ certificate, key }) => [certificate, key]);
  return clients === null ? files : [...files, clients.ca];
}

function warnOfExpiry({ clock, logger }: CertificateStoreOptions, { expiresMs }: Snapshot): void {
  if (expiresMs - clock.nowMs() > EXPIRY_WARNING_MS) return;
  logger.warn({ expires: new Date(expiresMs).toISOString() }, 'A certificate expires soon');
}
