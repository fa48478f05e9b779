import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { processTree } from './process-figures.ts';

/** True if processes can be kept to one core each, and there are two of them. */
export function canPin(): boolean {
  try {
    execFileSync('taskset', ['-p', `${process.pid}`], { stdio: 'ignore' });
    return availableParallelism() > 1;
  } catch {
    return false;
  }
}

/** Keeps a process, all its threads and all that it started to one core. Whatever it starts from now on is kept there as well. */
export function pinTree(root: number, core: number): void {
  for (const pid of processTree(root))
    execFileSync('taskset', ['-a', '-c', '-p', `${core}`, `${pid}`], { stdio: 'ignore' });
}
