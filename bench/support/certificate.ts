import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { scratchFolder } from './scratch.ts';

/** Files in PEM. */
export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** A new certificate for `localhost` with an ECDSA key on P-256, signed by itself. Needs the command `openssl`. */
export function localCertificate(): Certificate {
  const folder = scratchFolder('certificate');
  const certificateFile = join(folder, 'localhost.pem');
  const keyFile = join(folder, 'localhost.key');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', ...subject, ...files], { stdio: 'pipe' });
  return { certificateFile, keyFile };
}
