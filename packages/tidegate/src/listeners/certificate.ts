import type { Buffer } from 'node:buffer';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { TidegateError } from '../kernel/index.ts';
import { commonNameOf, parseAlternativeNames } from './alternative-names.ts';
import type { CertificateFiles } from './options.ts';

/** A file beyond this is no certificate and no key. */
const FILE_BYTES_MAX = 1024 * 1024;

/** A certificate that was read and found good: it belongs to its key, and today is among its days. */
export interface Certificate {
  /** The file that it came from. */
  readonly file: string;
  /** The certificate and those that lead to its root, as they stand in the file. */
  readonly chain: Buffer;
  readonly key: Buffer;
  /** The server names that it is for, in lower case. */
  readonly names: readonly string[];
  /** When it ends, in milliseconds since the Unix epoch. */
  readonly expiresMs: number;
}

const REASONS: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
};

/** @throws TidegateError tls_file_unreadable */
async function readFile(path: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size <= FILE_BYTES_MAX) return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code);
    throw new TidegateError('tls_file_unreadable', `${path}: ${REASONS[code] ?? code}.`, { cause: error });
  }
  throw new TidegateError('tls_file_unreadable', `${path}: it has more than ${FILE_BYTES_MAX} bytes.`);
}

function unfit(path: string, reason: string, cause?: unknown): TidegateError {
  return new TidegateError('tls_certificate_invalid', `${path}: ${reason}.`, { cause });
}

function parseCertificate(path: string, pem: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unfit(path, 'there is no certificate in PEM in it', error);
  }
}

function parseKey(path: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isLocked = (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE';
    throw unfit(
      path,
      isLocked ? 'the key is locked with a passphrase' : 'there is no private key in PEM in it',
      error,
    );
  }
}

/** The day of a time, as people write it. */
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/**
 * Reads a certificate and its key.
 * @throws TidegateError tls_file_unreadable, tls_certificate_invalid, which name the file and the reason
 */
export async function loadCertificate(files: CertificateFiles, nowMs: number): Promise<Certificate> {
  const [chain, key] = [await readFile(files.certificate), await readFile(files.key)];
  const certificate = parseCertificate(files.certificate, chain);
  if (!certificate.checkPrivateKey(parseKey(files.key, key)))
    throw unfit(files.certificate, `the key in ${files.key} is not that of the certificate`);
  const [beginsMs, expiresMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (nowMs > expiresMs) throw unfit(files.certificate, `the certificate expired on ${day(expiresMs)}`);
  if (nowMs < beginsMs) throw unfit(files.certificate, `the certificate begins on ${day(beginsMs)}`);
  const names = files.names.length > 0 ? files.names : serverNames(certificate);
  return {
    file: files.certificate,
    chain,
    key,
    names: names.map((name) => name.toLowerCase()),
    expiresMs,
  };
}

/** RFC 6125, section 6.4.4: the common name counts only where there is no alternative name of a server. */
function serverNames(certificate: X509Certificate): readonly string[] {
  const names = parseAlternativeNames(certificate.subjectAltName)
    .filter(({ kind }) => kind === 'DNS')
    .map(({ value }) => value);
  if (names.length > 0) return names;
  const commonName = commonNameOf(certificate);
  return commonName === '' ? [] : [commonName];
}

const ONE_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * Reads a file of authorities.
 * @throws TidegateError tls_file_unreadable, tls_certificate_invalid
 */
export async function loadAuthorities(path: string, nowMs: number): Promise<Buffer> {
  const bytes = await readFile(path);
  const authorities = (bytes.toString('latin1').match(ONE_CERTIFICATE) ?? []).map((pem) =>
    parseCertificate(path, pem),
  );
  if (authorities.length === 0) throw unfit(path, 'there is no certificate in PEM in it');
  if (authorities.every(({ validTo }) => nowMs > Date.parse(validTo)))
    throw unfit(path, 'all of its certificates have expired');
  return bytes;
}
