import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const sources = join(import.meta.dirname, '..', 'native');

/** How each load generator is compiled. Those that speak TLS are programs of their own, so that the others need no OpenSSL. */
const PROGRAMS = {
  subscribe: { source: 'subscribe.c', flags: [] },
  publish: { source: 'publish.c', flags: [] },
  'subscribe-tls': { source: 'subscribe.c', flags: ['-DWITH_TLS', '-lssl', '-lcrypto'] },
  'publish-tls': { source: 'publish.c', flags: ['-DWITH_TLS', '-lssl', '-lcrypto'] },
  transfer: { source: 'transfer.c', flags: [] },
  bodies: { source: 'bodies.c', flags: [] },
  handshake: { source: 'handshake.c', flags: ['-pthread', '-lssl', '-lcrypto'] },
} as const;
export type ProgramName = keyof typeof PROGRAMS;

/**
 * The path of a load generator, compiled if its source is new.
 *
 * They are C because they share the machine's cores with the server: what a load generator in JavaScript uses per message is
 * as much as the server itself, and the benchmark would measure the generator.
 */
export function nativeProgram(name: ProgramName): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(sources).sort()) hash.update(readFileSync(join(sources, file)));
  const folder = join(
    tmpdir(),
    `tidegate-bench-${process.getuid?.() ?? 0}-${hash.digest('hex').slice(0, 16)}`,
  );
  const program = join(folder, name);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { source, flags } = PROGRAMS[name];
  const unfinished = `${program}.${process.pid}`;
  try {
    execFileSync('gcc', ['-O2', '-o', unfinished, join(sources, source), ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Error(
      missing
        ? 'The load generators of the benchmarks are small C programs, and there is no gcc to compile them. ' +
            'Install it with: apt-get install gcc libc6-dev'
        : `The load generator ${name} does not compile${flags.length === 0 ? '' : ' (it needs: apt-get install libssl-dev)'}: ${String(error)}`,
    );
  }
  renameSync(unfinished, program);
  return program;
}
