import { Buffer } from 'node:buffer';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Channels } from '../channels/index.ts';
import {
  type Clock,
  type Limits,
  type Line,
  type Logger,
  type Metrics,
  TidegateError,
} from '../kernel/index.ts';
import type { AccessRules } from './access-rules.ts';
import { Certificates } from './certificates.ts';
import { fetchText } from './fetch-text.ts';
import { Gate } from './gate.ts';
import type { Issuer } from './issuer.ts';
import { fixedKeys, type KeySource, readKeySet, readPublicKey } from './key-source.ts';
import type { AccessOptions, IssuerOptions } from './options.ts';
import { KeyRelay } from './relayed-keys.ts';
import { type KeySetCopy, RemoteKeys } from './remote-keys.ts';
import { Tokens } from './tokens.ts';

export interface OpenGateOptions {
  readonly channels: Channels;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** As the config file says; paths are absolute. */
  readonly access: AccessOptions;
  readonly rules: AccessRules;
  /** Where the last good keys of issuers are kept. */
  readonly dataFolder: string;
  readonly openWithoutCredentials: boolean;
  readonly closed: () => void;
  /** Whether a shared secret may be so short that it can be guessed: where nobody else can reach the server. */
  readonly weakSecrets: 'allowed' | 'refused';
  /**
   * In a worker, the line to the owner of the log: what everybody uses is counted there, failed attempts are counted by all processes
   * together, and the keys of issuers come from there. Default: none, for the owner and for a server of one process.
   */
  readonly line?: Line | null;
}

/**
 * Makes the gate of a server: reads the keys of issuers, and begins to fetch those that are elsewhere.
 * @throws TidegateError config_invalid, if a key or a file with keys cannot be read
 */
export async function openGate(options: OpenGateOptions): Promise<Gate> {
  const { channels, clock, limits, metrics, access, rules, openWithoutCredentials, closed, line } = options;
  const remoteKeys = new Map<string, RemoteKeys>();
  const issuers = await issuersOf(options, remoteKeys);
  return new Gate({
    channels,
    clock,
    limits,
    metrics,
    tokens: new Tokens(clock, issuers),
    certificates: new Certificates(access.certificates ?? {}),
    anonymous: access.anonymous ?? null,
    openWithoutCredentials,
    closed,
    rules,
    defaultLimits: access.limits,
    line: line ?? null,
    remoteKeys,
  });
}

/** @param remoteKeys what is fetched by this process is added, by the issuer's name */
async function issuersOf(
  options: OpenGateOptions,
  remoteKeys: Map<string, RemoteKeys>,
): Promise<readonly Issuer[]> {
  const configured = Object.entries(options.access.issuers ?? {});
  if (configured.length === 0) return [];
  // Loaded only now: a server that believes no tokens starts without what verifies them.
  const { Issuer } = await import('./issuer.ts');
  const { line, logger } = options;
  const relay = line === undefined || line === null ? null : new KeyRelay(line, logger);
  return configured.map(([name, issuer]) => {
    const { algorithms, issuer: claimed, audience, allow = {} } = issuer;
    return new Issuer(
      { name, algorithms, issuer: claimed, audience, allow },
      sourceOf(name, issuer, options, (url) => {
        if (relay !== null) return relay.keysOf(name);
        const keys = fetchedKeys(name, url, options);
        remoteKeys.set(name, keys);
        return keys;
      }),
    );
  });
}

function sourceOf(
  name: string,
  issuer: IssuerOptions,
  options: OpenGateOptions,
  keysAt: (url: string) => KeySource,
): KeySource {
  const where = `access.issuers.${name}`;
  if (issuer.secret !== undefined) return sharedSecret(issuer.secret, where, options);
  if (issuer.publicKey !== undefined)
    return fixedKeys({ kind: 'key', key: readPublicKey(issuer.publicKey, where) });
  if (issuer.jwksFile !== undefined)
    return fixedKeys({ kind: 'set', set: keySetOfFile(issuer.jwksFile, where) });
  return keysAt(issuer.jwksUrl ?? '');
}

function fetchedKeys(
  name: string,
  url: string,
  { clock, limits, logger, dataFolder }: OpenGateOptions,
): RemoteKeys {
  return new RemoteKeys({
    name,
    url,
    clock,
    logger,
    limits,
    fetchText,
    copy: copyInFile(join(dataFolder, `jwks-${name}.json`), logger),
  });
}

/** RFC 7518, section 3.2: a key for HS256 has at least 256 bits. */
const SECRET_BYTES_MIN = 32;

function sharedSecret(secret: string, where: string, { weakSecrets, logger }: OpenGateOptions): KeySource {
  const key = Buffer.from(secret, 'utf8');
  if (key.length < SECRET_BYTES_MIN) {
    const detail = `${where}.secret: it has ${key.length} bytes, and takes ${SECRET_BYTES_MIN} not to be guessed`;
    if (weakSecrets === 'refused') throw new TidegateError('config_invalid', detail);
    logger.warn({ bytes: key.length }, `The secret of ${where} is short enough to be guessed from a token`);
  }
  return fixedKeys({ kind: 'key', key });
}

function keySetOfFile(file: string, where: string): ReturnType<typeof readKeySet> {
  try {
    return readKeySet(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TidegateError('config_invalid', `${where}.jwksFile: ${reason}`, { cause: error });
  }
}

/** Keys are public: whoever can write to the data folder could do worse than to change them. */
function copyInFile(file: string, logger: Logger): KeySetCopy {
  return {
    read() {
      try {
        return readFileSync(file, 'utf8');
      } catch {
        return null;
      }
    },
    write(text) {
      try {
        writeFileSync(`${file}.new`, text);
        renameSync(`${file}.new`, file);
      } catch (error) {
        logger.warn({ error, file }, "An issuer's keys could not be kept for the next start");
      }
    },
  };
}
