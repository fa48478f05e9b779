import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** One sentence on where the figures come from. */
export function machineNote(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores of ${model}, ${memory} GiB, Linux ${release()}, ${distribution()}, Node ${process.versions.node}.`;
}

function distribution(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8').match(/^PRETTY_NAME="(.*)"$/m)?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}

/** The version of an installed Debian package, or null if it is not installed. */
export function packageVersion(name: string): string | null {
  try {
    const answer = execFileSync(
      'dpkg-query',
      ['-W', '-f', '$' + '{db:Status-Status} $' + '{Version}', name],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const [status, version] = answer.split(' ');
    return status === 'installed' && version !== undefined ? version : null;
  } catch {
    return null;
  }
}
