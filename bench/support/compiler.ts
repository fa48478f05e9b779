import { execFileSync } from 'node:child_process';

/** Whether the load generators can be compiled here, for tests that are about them. */
export function hasCompiler(): boolean {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
