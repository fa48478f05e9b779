import { readFileSync, readlinkSync } from 'node:fs';

/** Which process: a pid alone is used again, and means another process in another container. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in clock ticks since the machine's start; null where the system does not tell. */
  readonly startedTicks: string | null;
  /** Which start of the machine. */
  readonly bootId: string | null;
  /** Which set of pids. */
  readonly pidNamespace: string | null;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startedTicks: startedTicksOf(process.pid),
    bootId: textOf('/proc/sys/kernel/random/boot_id'),
    pidNamespace: namespaceOf(),
  };
}

/** What can be said about a process that left its identity behind. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** Unknown only for a process of another pid namespace, which cannot be looked up from here. */
export function livenessOf(process_: ProcessIdentity): Liveness {
  const own = ownIdentity();
  if (process_.bootId !== own.bootId) return 'dead';
  if (process_.pidNamespace !== own.pidNamespace) return 'unknown';
  if (own.startedTicks !== null)
    return startedTicksOf(process_.pid) === process_.startedTicks ? 'alive' : 'dead';
  try {
    process.kill(process_.pid, 0);
    return 'alive';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' ? 'alive' : 'dead';
  }
}

function startedTicksOf(pid: number): string | null {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the program's name in parentheses, and may hold spaces; the start time is the 22nd field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie is dead, though its parent has not noticed.
  return fields[0] === 'Z' ? null : fields[19];
}

function namespaceOf(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
