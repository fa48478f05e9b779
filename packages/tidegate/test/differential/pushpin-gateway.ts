import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../support/ports.ts';
import type { Gateway } from './gateway.ts';

const PROGRAM = '/usr/bin/pushpin';
const PACKAGED = '/etc/pushpin/pushpin.conf';
const PACKAGED_INTERNAL = '/usr/lib/pushpin/internal.conf';
const READY_TIMEOUT_MS = 20_000;
const READY_INTERVAL_MS = 20;
const OUTPUT_CHARS_MAX = 64 * 1024;

/** What is missing to run Pushpin here, in a sentence; undefined if nothing is. */
export const missingPushpin: string | undefined = [PROGRAM, PACKAGED, PACKAGED_INTERNAL].every(existsSync)
  ? undefined
  : 'Pushpin is not installed: apt-get install pushpin';

const running = new Set<ChildProcess>();

// A run that fails half-way leaves no Pushpin behind. Its services are in process groups of their own: only it can end them,
// and does, also when nobody waits for that any more.
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** Replaces `key=…` lines; fails where the packaged file has none, because then it is not the one that this was written for. */
function withSettings(configuration: string, settings: Readonly<Record<string, string | number>>): string {
  let changed = configuration;
  for (const [key, value] of Object.entries(settings)) {
    const line = new RegExp(`^#?${key}=.*$`, 'm');
    if (!line.test(changed)) throw new Error(`${PACKAGED} has no setting ${key}`);
    changed = changed.replace(line, `${key}=${value}`);
  }
  return changed;
}

/**
 * Pushpin as Debian packages it, its settings unchanged but for ports and folders. Debian runs zurl as a daemon of its
 * own; here Pushpin starts it with its other services, so its sockets lie in the temporary folder, too.
 */
export async function startPushpin(routes: string): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-pushpin-'));
  await chmod(folder, 0o755);
  for (const subfolder of ['run', 'log']) await mkdir(join(folder, subfolder));
  const [port, controlPort, pull, subscribe, command] = await freePorts(5);
  const internal = join(folder, 'internal.conf');
  const packagedInternal = await readFile(PACKAGED_INTERNAL, 'utf8');
  await writeFile(
    internal,
    packagedInternal.replaceAll('ipc:///var/run/zurl/zurl-', 'ipc://{rundir}/{ipc_prefix}zurl-'),
  );
  await writeFile(join(folder, 'routes'), routes);
  const file = join(folder, 'pushpin.conf');
  await writeFile(
    file,
    withSettings(await readFile(PACKAGED, 'utf8'), {
      include: internal,
      rundir: join(folder, 'run'),
      logdir: join(folder, 'log'),
      services: 'condure,zurl,pushpin-proxy,pushpin-handler',
      http_port: `127.0.0.1:${port}`,
      push_in_spec: `tcp://127.0.0.1:${pull}`,
      push_in_sub_specs: `tcp://127.0.0.1:${subscribe}`,
      push_in_http_port: controlPort,
      command_spec: `tcp://127.0.0.1:${command}`,
    }),
  );
  const child = spawn(PROGRAM, [`--config=${file}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARS_MAX);
    });
  }
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await closed;
    running.delete(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const wanted of [port, controlPort]) await listening(wanted, child);
  } catch (error) {
    await stop();
    throw new Error(`Pushpin did not start:\n${output}`, { cause: error });
  }
  return {
    port,
    controlPort,
    get output() {
      return output;
    },
    stop,
  };
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      if (performance.now() > deadline) throw new Error(`nobody listens on ${port}`);
      await delay(READY_INTERVAL_MS);
    } finally {
      socket.destroy();
    }
  }
}
