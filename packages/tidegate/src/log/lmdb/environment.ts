import { Buffer } from 'node:buffer';
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { Durability } from '../port.ts';

/** A table: bytes to bytes, sorted by key. */
export type Table = Database<Buffer, Buffer>;

/** An LMDB file with the tables of one durability. */
export interface Environment {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly path: string;
  readonly meta: Table;
  readonly topics: Table;
  readonly partitions: Table;
  readonly batches: Table;
  readonly keys: Table;
  readonly identities: Table;
}

/**
 * Address space only: nothing is allocated. A map that is large from the start is not moved while the file grows, which
 * would leave the old mapping behind.
 */
const MAP_BYTES = 64 * 1024 ** 3;

/** Where LMDB's first meta page, behind a page header of 24 bytes, has its magic number and the version of its format. */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;

/** Throws unless the file is new or one of LMDB's: lmdb itself ends the process when it opens anything else. */
function assertLmdbFile(path: string): void {
  if (!existsSync(path) || statSync(path).size === 0) return;
  const head = Buffer.alloc(MAGIC_AT + 8);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.readUInt32LE(MAGIC_AT) !== MAGIC) throw new Error(`${path} is not an LMDB file`);
  const version = head.readUInt16LE(MAGIC_AT + 4);
  if (version !== DATA_VERSION)
    throw new Error(`${path} is an LMDB file of version ${version}, not ${DATA_VERSION}`);
}

/**
 * Opens the file, or creates it.
 *
 * `synced`: a commit is answered after its pages were flushed (fdatasync) and the page that makes it current was written through
 * (O_DSYNC). `overlappingSync`, lmdb's default, must be off: with it a commit is visible to readers before it is on the disk.
 *
 * `written`: the last commits may be lost with the power, the file may not be torn. `noMetaSync` is just that: pages are flushed before
 * the page that makes them current is written, and that one is left to the operating system. `overlappingSync` promises more and
 * gives less: lmdb 3.5.6 answers a commit only after its flush all the same, waits for ever on closing after a commit that failed, and
 * readers meet what is not flushed. `noSync` is ten times faster for small commits, but after a loss of power the file may be torn
 * beyond repair. docs/log.md has the figures.
 */
export function openEnvironment(path: string, durability: Exclude<Durability, 'none'>): Environment {
  assertLmdbFile(path);
  return tablesOf(path, open<Buffer, Buffer>({ ...LAYOUT, path, noMetaSync: durability === 'written' }));
}

/** Opens the file, which another process has open and writes to, for reading. Its commits are seen from the next reading on. */
export function openEnvironmentToRead(path: string): Environment {
  assertLmdbFile(path);
  return tablesOf(path, open<Buffer, Buffer>({ ...LAYOUT, path, readOnly: true }));
}

const LAYOUT = {
  noSubdir: true,
  maxDbs: 8,
  mapSize: MAP_BYTES,
  encoding: 'binary',
  keyEncoding: 'binary',
  overlappingSync: false,
  // Each commit is one explicit batch. lmdb's own batching of event turns would add a promise that nobody can handle,
  // and that is rejected along with ours when a commit fails, which ends the process.
  eventTurnBatching: false,
} as const;

function tablesOf(path: string, root: RootDatabase<Buffer, Buffer>): Environment {
  const table = (name: string): Table =>
    root.openDB<Buffer, Buffer>(name, { encoding: 'binary', keyEncoding: 'binary' });
  return {
    root,
    path,
    meta: table('meta'),
    topics: table('topics'),
    partitions: table('partitions'),
    batches: table('batches'),
    keys: table('keys'),
    identities: table('identities'),
  };
}
