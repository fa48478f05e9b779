import type { Buffer } from 'node:buffer';
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

/**
 * Opens the file, or creates it.
 *
 * `synced`: a commit is answered after its pages were flushed (fdatasync) and the page that makes it current was written through
 * (O_DSYNC). `overlappingSync`, lmdb's default, must be off: with it a commit is visible to readers before it is on the disk.
 *
 * `written`: just that is wanted, so `overlappingSync` is on: a commit is visible and answered once the operating system has it, and
 * is flushed behind that. Pages are not used again before the commit that freed them is flushed, and a separate meta page names
 * the last flushed commit, so after a loss of power the file is whole as of that commit. `noSync` would be faster still,
 * but the file may then be torn beyond repair.
 */
export function openEnvironment(path: string, durability: Exclude<Durability, 'none'>): Environment {
  const root = open<Buffer, Buffer>({
    path,
    noSubdir: true,
    maxDbs: 8,
    mapSize: MAP_BYTES,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: durability === 'written',
  });
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
