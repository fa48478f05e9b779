import { Buffer } from 'node:buffer';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { TidegateError } from '../../kernel/index.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { livenessOf, ownIdentity, type ProcessIdentity } from './process-identity.ts';

/** The format of the data folder. Raised when a version can no longer read what another wrote. */
export const FORMAT_VERSION = 1;

const FORMAT_FILE = 'FORMAT';
const FORMAT_TEXT = /^tidegate-log ([0-9]+)\n$/;
const OWNER = Buffer.from('owner');

/** Folders that this process gave up though their owner record could not be removed. */
const abandoned = new Set<string>();

/** A data folder that this process owns. */
export interface ClaimedFolder {
  readonly synced: Environment;
  /** Gives the folder up; the files are still open. */
  readonly disown: () => void;
  /** Gives the folder up and closes its file. */
  readonly release: () => Promise<void>;
}

/**
 * Makes the folder ours, or refuses. The owner is recorded in the LMDB file, inside a synchronous transaction: only one process at a time is in one,
 * so two cannot both find the folder free. A folder whose owner died opens at once.
 * @throws TidegateError log_folder_unusable, log_format_unsupported, log_locked
 */
export function claimFolder(folder: string): ClaimedFolder {
  checkFormat(folder);
  let synced: Environment;
  try {
    synced = openEnvironment(join(folder, 'synced.mdb'), 'synced');
  } catch (error) {
    throw new TidegateError('log_folder_unusable', `${folder}: ${textOf(error)}`, { cause: error });
  }
  const own = ownIdentity();
  const disown = (): void => {
    try {
      synced.meta.transactionSync(() => {
        if (isSame(ownerOf(synced), own)) synced.meta.removeSync(OWNER);
      });
    } catch {
      // As when the disk is full. The record stays, and soon names a dead process; until then, we know better.
      abandoned.add(realpathSync(folder));
    }
  };
  const release = async (): Promise<void> => {
    disown();
    await synced.root.close();
  };
  let other: ProcessIdentity | null;
  try {
    other = claim(synced, own, folder);
  } catch (error) {
    void synced.root.close();
    throw new TidegateError('log_folder_unusable', `${folder}: ${textOf(error)}`, { cause: error });
  }
  if (other !== null) {
    void synced.root.close();
    throw new TidegateError('log_locked', `Process ${other.pid} has ${folder} open.`);
  }
  return { synced, disown, release };
}

/** Records this process as the owner, unless there is one: then returns it. */
function claim(synced: Environment, own: ProcessIdentity, folder: string): ProcessIdentity | null {
  return synced.meta.transactionSync(() => {
    const owner = ownerOf(synced);
    const isOurs = isSame(owner, own) && abandoned.delete(realpathSync(folder));
    if (owner !== null && !isOurs && isAlive(owner, synced)) return owner;
    synced.meta.putSync(OWNER, Buffer.from(JSON.stringify(own)));
    return null;
  });
}

/**
 * Makes a folder with those above it, one by one: where none can be made, as below `/proc`, Node's own `recursive` tries
 * for ever.
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Reads which format the folder has, and marks a new one with ours. */
function checkFormat(folder: string): void {
  let text: string | null;
  try {
    makeFolder(folder);
    text = readFormat(folder);
    if (text === null && readdirSync(folder).some((name) => name.endsWith('.mdb'))) text = '';
    if (text === null) writeFormat(folder);
  } catch (error) {
    throw new TidegateError('log_folder_unusable', `${folder}: ${textOf(error)}`, { cause: error });
  }
  if (text === null) return;
  const version = FORMAT_TEXT.exec(text)?.[1] ?? 'unknown';
  if (version !== String(FORMAT_VERSION)) {
    throw new TidegateError(
      'log_format_unsupported',
      `${folder} has format ${version}; this version reads format ${FORMAT_VERSION}.`,
    );
  }
}

function readFormat(folder: string): string | null {
  try {
    return readFileSync(join(folder, FORMAT_FILE), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whole or not at all: a kill between two steps leaves no half of it behind. */
function writeFormat(folder: string): void {
  const path = join(folder, FORMAT_FILE);
  const file = openSync(`${path}.new`, 'w');
  writeSync(file, `tidegate-log ${FORMAT_VERSION}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
  syncFolder(folder);
}

/** Names are durable only when their folder is flushed too. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

function ownerOf(environment: Environment): ProcessIdentity | null {
  const bytes = environment.meta.getBinary(OWNER);
  return bytes === undefined ? null : (JSON.parse(Buffer.from(bytes).toString('utf8')) as ProcessIdentity);
}

/**
 * A process of another pid namespace (another container on the same volume) cannot be looked up, but LMDB's lock file tells: each reader
 * holds a file lock there, which the kernel frees when it dies.
 */
function isAlive(owner: ProcessIdentity, environment: Environment): boolean {
  const liveness = livenessOf(owner);
  if (liveness !== 'unknown') return liveness === 'alive';
  environment.root.readerCheck();
  return environment.root
    .readerList()
    .split('\n')
    .some((line) => Number.parseInt(line, 10) === owner.pid);
}

function isSame(a: ProcessIdentity | null, b: ProcessIdentity): boolean {
  return (
    a !== null &&
    a.pid === b.pid &&
    a.startedTicks === b.startedTicks &&
    a.bootId === b.bootId &&
    a.pidNamespace === b.pidNamespace
  );
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
