import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from './ports.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/tidegate.cjs', import.meta.url));
const READY_TIMEOUT_MS = 20_000;
const READY_INTERVAL_MS = 20;
const STOP_TIMEOUT_MS = 20_000;
const OUTPUT_CHARS_MAX = 64 * 1024;

const running = new Set<ChildProcess>();

// A test that fails half-way leaves no server behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ServerProcessOptions {
  /** The config file's text (YAML); the ports and the data folder are given on the command line. Empty by default. */
  readonly config?: string;
  /** Further arguments of `tidegate start`. */
  readonly args?: readonly string[];
  /** Added to the environment of the test. */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * The real server, as a process of its own, on free ports of loopback, with a temporary data folder. It can be killed and
 * started again: the ports, the config and the data stay.
 *
 *     const server = await ServerProcess.start({ config: 'topics: { orders: {} }' });
 *     test.after(() => server.remove());
 */
export class ServerProcess {
  /** Where the server publishes and subscribes, `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Where health and metrics are. */
  readonly adminUrl: string;
  readonly port: number;
  readonly adminPort: number;
  /** Holds the config file and the data folder. Removed by `remove`. */
  readonly folder: string;
  readonly dataFolder: string;
  readonly #options: ServerProcessOptions;
  #process: ChildProcess | null = null;
  #output = '';

  private constructor(folder: string, ports: readonly number[], options: ServerProcessOptions) {
    this.folder = folder;
    this.dataFolder = join(folder, 'data');
    this.port = ports[0];
    this.adminPort = ports[1];
    this.url = `http://127.0.0.1:${this.port}`;
    this.adminUrl = `http://127.0.0.1:${this.adminPort}`;
    this.#options = options;
  }

  /** Starts a server and waits until it is ready. */
  static async start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'tidegate-test-'));
    const server = new ServerProcess(folder, await freePorts(2), options);
    try {
      await writeFile(server.configFile, options.config ?? '');
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Written from `options.config`; a test may rewrite it while the server is down. */
  get configFile(): string {
    return join(this.folder, 'tidegate.yaml');
  }

  /** The process id. Throws while the server is down. */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the server is not running');
    return pid;
  }

  /** What the server wrote to its standard output and error, the end of it. */
  get output(): string {
    return this.#output;
  }

  /** Starts the server again after `kill` or `stop`, and waits until it is ready. */
  async start(): Promise<void> {
    if (this.#process !== null) throw new Error('the server is running already');
    const ports = ['--port', String(this.port), '--admin-port', String(this.adminPort)];
    const files = ['--config', this.configFile, '--data', this.dataFolder];
    const child = spawn(
      process.execPath,
      [PROGRAM, 'start', ...files, ...ports, ...(this.#options.args ?? [])],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.#options.environment } },
    );
    this.#process = child;
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_CHARS_MAX);
      });
    }
    child.once('close', () => {
      running.delete(child);
      if (this.#process === child) this.#process = null;
    });
    child.once('error', (error) => {
      this.#output += `cannot be started: ${error.message}\n`;
    });
    await this.#ready(child);
  }

  /** `kill -9`: the process is gone when this resolves. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM: the server drains. Resolves with its exit code; fails if it does not end. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** Kills the server if it runs, and removes its folder. */
  async remove(): Promise<void> {
    if (this.#process !== null) await this.#end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#process;
    if (child === null) throw new Error(`the server is not running; it wrote:\n${this.#output}`);
    const closed = once(child, 'close');
    child.kill(signal);
    const abort = new AbortController();
    const late = delay(STOP_TIMEOUT_MS, 'late' as const, { signal: abort.signal });
    const outcome = await Promise.race([closed, late]);
    abort.abort();
    late.catch(() => {});
    if (outcome === 'late') {
      child.kill('SIGKILL');
      throw new Error(`the server did not end on ${signal} within ${STOP_TIMEOUT_MS} ms:\n${this.#output}`);
    }
    return child.exitCode;
  }

  async #ready(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      if (this.#process !== child) throw new Error(`the server ended while it started:\n${this.#output}`);
      if (await answersReady(this.adminUrl)) return;
      if (performance.now() > deadline) {
        throw new Error(`the server was not ready within ${READY_TIMEOUT_MS} ms:\n${this.#output}`);
      }
      await delay(READY_INTERVAL_MS);
    }
  }
}

async function answersReady(adminUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${adminUrl}/readyz`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
