import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The unit of CPU time in /proc, in ticks a second. */
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The fields of /proc/<pid>/stat from the third on; the second, the program's name, may hold anything. */
function statFields(pid: number): readonly string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** A process and all that it started, directly or not. */
export function processTree(root: number): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? statFields(pid) : null;
    if (fields === null) continue;
    const parent = Number(fields[1]);
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
}

/** CPU seconds that a process tree has used, of processes that still live. */
export function cpuSeconds(root: number): number {
  let ticks = 0;
  for (const pid of processTree(root)) {
    const fields = statFields(pid);
    if (fields !== null) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}

/** Memory of a process tree in bytes. */
export interface Memory {
  /** Pages of its own: heap and buffers. Shared memory and mapped files are not in it. */
  readonly anonymous: number;
  /** All resident pages, those shared divided among the sharers: includes shared memory and mapped files. */
  readonly proportional: number;
}

export function memoryOf(root: number): Memory {
  let anonymous = 0;
  let proportional = 0;
  for (const pid of processTree(root)) {
    const rollup = readRollup(pid);
    anonymous += kibibytes(rollup, 'Anonymous');
    proportional += kibibytes(rollup, 'Pss');
  }
  return { anonymous: anonymous * 1024, proportional: proportional * 1024 };
}

function readRollup(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  } catch {
    return '';
  }
}

function kibibytes(rollup: string, name: string): number {
  return Number(rollup.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1] ?? 0);
}

/** The CPU use of several process trees between two moments. */
export class CpuMeter {
  readonly #roots: Readonly<Record<string, number>>;
  readonly #before: Readonly<Record<string, number>>;
  readonly #startedMs = performance.now();

  constructor(roots: Readonly<Record<string, number>>) {
    this.#roots = roots;
    this.#before = this.#sample();
  }

  /** Percent of one core used since the meter was made, by name. */
  percentages(): Readonly<Record<string, number>> {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const now = this.#sample();
    const used: Record<string, number> = {};
    for (const name of Object.keys(now))
      used[name] = Math.round(((now[name]! - this.#before[name]!) / seconds) * 100);
    return used;
  }

  #sample(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.#roots).map(([name, pid]) => [name, cpuSeconds(pid)]));
  }
}

/** The most anonymous memory that a process tree has at any of many moments, in bytes. */
export class PeakMemory {
  readonly #pids: readonly number[];
  readonly #timer: NodeJS.Timeout;
  #peak = 0;

  constructor(root: number, intervalMs = 20) {
    this.#pids = processTree(root);
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), intervalMs);
  }

  /** Ends the watch and tells the peak. */
  stop(): number {
    clearInterval(this.#timer);
    this.#sample();
    return this.#peak;
  }

  #sample(): void {
    // Cheaper than smaps_rollup, which walks all pages while the process waits.
    const statuses = this.#pids.map((pid) => readFileSync(`/proc/${pid}/status`, 'utf8'));
    const anonymous = statuses.reduce((sum, status) => sum + kibibytes(status, 'RssAnon') * 1024, 0);
    this.#peak = Math.max(this.#peak, anonymous);
  }
}
