import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** What a process did to files, in order. */
export type FileEvent =
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly at: number;
      readonly bytes: Buffer;
      readonly throughToDisk: boolean;
    }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'print'; readonly text: string };

export const hasStrace = spawnSync('strace', ['-V']).status === 0;

/** Runs a program to its end under strace, and returns its writes, with all their bytes, and its syncs. */
export async function record(traceFile: string, args: readonly string[]): Promise<readonly FileEvent[]> {
  const calls = 'openat,close,lseek,write,writev,pwrite64,pwritev,fsync,fdatasync,msync,ftruncate';
  // -xx: bytes in hexadecimal; -y: descriptors with their paths; -s: strings whole.
  // A disk that takes its time to flush, so that what does not wait for it is seen not to.
  const slowDisk = 'inject=fdatasync:delay_enter=5000';
  const show = [
    '-f',
    '-xx',
    '-y',
    '-s',
    '16777216',
    '-e',
    `trace=${calls}`,
    '-e',
    'signal=none',
    '-o',
    traceFile,
  ];
  const strace = [...show, '-e', slowDisk];
  const child = spawn('strace', [...strace, process.execPath, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  return parse(readFileSync(traceFile, 'latin1'));
}

function parse(trace: string): FileEvent[] {
  const events: FileEvent[] = [];
  const unfinished = new Map<string, string>();
  const throughToDisk = new Set<string>();
  const positions = new Map<string, number>();
  for (const line of trace.split('\n')) {
    const match = /^([0-9]+) +(.*)$/.exec(line);
    if (match === null) continue;
    const [, thread, rest] = match;
    // A call that another thread interrupts in the trace is taken for done where it returns.
    if (rest.endsWith('<unfinished ...>')) {
      unfinished.set(thread, rest.slice(0, -'<unfinished ...>'.length).trimEnd());
      continue;
    }
    const resumed = /^<\.\.\. [a-z0-9]+ resumed>(.*)$/.exec(rest);
    const call = resumed === null ? rest : `${unfinished.get(thread)}${resumed[1]}`;
    const parts = /^([a-z0-9]+)\((.*)\)\s+= (-?[0-9]+)(.*)$/.exec(call);
    if (parts === null) continue;
    const [, name, given, result, after] = parts;
    if (name === 'openat') {
      const opened = `${result}${/^<[^>]*>/.exec(after)?.[0] ?? ''}`;
      if (/O_D?SYNC/.test(given)) throughToDisk.add(opened);
      else throughToDisk.delete(opened);
      continue;
    }
    const descriptor = /^([0-9]+)<((?:\\x[0-9a-f]{2})*|[^>]*)>/.exec(given);
    if (descriptor === null || Number(result) < 0) continue;
    const path = descriptor[2].startsWith('\\x') ? unhex(descriptor[2]).toString() : descriptor[2];
    const isThrough = throughToDisk.has(descriptor[0]);
    switch (name) {
      case 'lseek':
        positions.set(path, Number(result));
        break;
      case 'fsync':
      case 'fdatasync':
        events.push({ kind: 'sync', path });
        break;
      case 'pwrite64':
      case 'pwritev': {
        const at = Number(/, ([0-9]+)$/.exec(given)![1]);
        events.push({
          kind: 'write',
          path,
          at,
          bytes: bytesOf(given, Number(result)),
          throughToDisk: isThrough,
        });
        break;
      }
      case 'write':
      case 'writev': {
        const bytes = bytesOf(given, Number(result));
        if (descriptor[1] === '1') {
          events.push({ kind: 'print', text: bytes.toString() });
          break;
        }
        const at = positions.get(path) ?? 0;
        positions.set(path, at + bytes.length);
        events.push({ kind: 'write', path, at, bytes, throughToDisk: isThrough });
        break;
      }
      case 'msync':
      case 'ftruncate':
        if (path.endsWith('.mdb')) throw new Error(`${name} is not expected: ${call.slice(0, 200)}`);
        break;
    }
  }
  return events;
}

/** The bytes of all strings among the arguments. */
function bytesOf(given: string, length: number): Buffer {
  const strings = [...given.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((found) => unhex(found[1]));
  const bytes = Buffer.concat(strings);
  assert.ok(bytes.length >= length, 'strace cut a string short');
  return bytes.subarray(0, length);
}

function unhex(text: string): Buffer {
  return Buffer.from(text.replaceAll('\\x', ''), 'hex');
}
