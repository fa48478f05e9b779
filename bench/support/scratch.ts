import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();

process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder for files of this run; removed when the benchmark ends, if not before. */
export function scratchFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tidegate-bench-${purpose}-`));
  folders.add(folder);
  return folder;
}

export function removeScratchFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}
