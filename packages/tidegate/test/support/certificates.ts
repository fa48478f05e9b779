import { execFile, spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why tests that need certificates are skipped; false where they run. */
export const NO_OPENSSL: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

/** What a certificate says. */
export interface CertificateSpec {
  readonly commonName?: string;
  /** Alternative names as openssl writes them, such as `DNS:a.example`. */
  readonly names?: readonly string[];
  readonly days?: number;
  /** The certificate that signs it; itself if none is named. */
  readonly issuer?: string;
  readonly authority?: boolean;
}

/** A temporary folder of certificates `NAME.pem` and keys `NAME.key`, which the end of the test removes. */
export class Certificates {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(t: Pick<TestContext, 'after'>): Promise<Certificates> {
    const certificates = new Certificates(await mkdtemp(join(tmpdir(), 'tidegate-test-')));
    t.after(() => rm(certificates.folder, { recursive: true }));
    return certificates;
  }

  certificate(name: string): string {
    return join(this.folder, `${name}.pem`);
  }

  key(name: string): string {
    return join(this.folder, `${name}.key`);
  }

  /** The files of a certificate, as the settings of TLS name them. */
  files(
    name: string,
    names: readonly string[] = [],
  ): { certificate: string; key: string; names: readonly string[] } {
    return { certificate: this.certificate(name), key: this.key(name), names };
  }

  async make(name: string, spec: CertificateSpec = {}): Promise<void> {
    const { commonName = name, names = [], days = 3650, issuer, authority = false } = spec;
    const config = join(this.folder, `${name}.cnf`);
    const lines = [
      '[req]',
      'distinguished_name = subject',
      'prompt = no',
      'x509_extensions = extensions',
      '[subject]',
      'O = Tests',
      `CN = ${commonName}`,
      '[extensions]',
      `basicConstraints = critical, CA:${authority ? 'TRUE' : 'FALSE'}`,
      ...(names.length === 0 ? [] : [`subjectAltName = ${names.join(',')}`]),
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const signed = issuer === undefined ? [] : ['-CA', this.certificate(issuer), '-CAkey', this.key(issuer)];
    await run('openssl', [
      ...['req', '-x509', '-config', config, '-days', String(days), ...signed],
      ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'],
      ...['-keyout', this.key(name), '-out', this.certificate(name)],
    ]);
  }

  /** Puts the certificate and the key of one name in the place of another's. */
  async replace(name: string, by: string): Promise<void> {
    await copyFile(this.certificate(by), this.certificate(name));
    await copyFile(this.key(by), this.key(name));
  }
}
