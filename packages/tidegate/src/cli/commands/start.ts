import { followConfig } from '../../config/index.ts';
import { systemClock, TidegateError } from '../../kernel/index.ts';
import { announcement } from '../announcement.ts';
import { defineCommand, EXIT } from '../command.ts';
import { closeOnSignal } from '../shutdown.ts';
import { write } from '../terminal.ts';

/** What closing may take beyond the time that clients get, for the log to be flushed and closed. */
const CLOSE_MARGIN_MS = 5_000;

const PORT = { kind: 'integer', value: 'P', min: 0, max: 65_535 } as const;

export const start = defineCommand({
  name: 'start',
  summary: 'Start a server',
  details:
    'Options take the place of what the config file says. SIGTERM and SIGINT drain the server: requests are finished,\n' +
    'streams are told to connect again, the log is closed; a second signal ends it at once. Without a terminal, SIGHUP reads\n' +
    'the config file and the certificates of TLS anew, as tidegate reload does.',
  operands: [],
  options: {
    config: { kind: 'text', value: 'FILE', description: 'The config file, in YAML (default: none)' },
    data: { kind: 'text', value: 'DIR', description: 'The folder of the log (default: ./data)' },
    host: { kind: 'text', value: 'HOST', description: 'The address of the public port (default: 127.0.0.1)' },
    port: { ...PORT, description: 'The public port (default: 8080; 0 takes a free one)' },
    'admin-port': { ...PORT, description: 'The admin port (default: 8081; 0 takes a free one)' },
    workers: {
      kind: 'integer',
      value: 'N',
      min: 1,
      max: 64,
      description: 'Processes that serve the public port (default: as many as there are cores)',
    },
    insecure: {
      kind: 'flag',
      description: 'Let everybody in who can reach the server, as long as there are no keys and issuers',
    },
  },
  examples: [
    { command: 'tidegate start', effect: 'With all defaults' },
    { command: 'tidegate start --config tidegate.yaml', effect: 'As a file says' },
    {
      command: 'tidegate start --port 9000 --admin-port 9001 --data /tmp/try',
      effect: 'A second one beside it',
    },
  ],
  async run(options, _operands, terminal) {
    const request = {
      file: options.config ?? null,
      overrides: {
        host: options.host,
        port: options.port,
        adminPort: options['admin-port'],
        data: options.data,
        workers: options.workers,
        insecure: options.insecure,
      },
      environment: terminal.environment,
      workingFolder: terminal.workingFolder,
    };
    const { config, ...file } = await followConfig(request, systemClock);
    // The server's code is loaded by this command only, so that the others are quick.
    const { startServer } = await import('../../main.ts');
    const server = await startServer(config, undefined, file);
    const timeoutMs = config.limits.drainTimeoutMs + CLOSE_MARGIN_MS;
    // On a terminal the signal means that the terminal is gone; a server in the background lives on. Also without
    // a config file: `systemctl reload` must not end it.
    if (!terminal.isInteractive) process.on('SIGHUP', () => void server.reload());
    // Listens for signals first: who reads the announcement may send one at once.
    const ended = closeOnSignal(server, timeoutMs, systemClock, terminal);
    await write(terminal.output, announcement({ ...server, dataFolder: config.dataFolder }, terminal));
    const ending = await ended;
    if (ending === 'drained') return EXIT.success;
    if (ending === 'forced') return EXIT.failure;
    throw new TidegateError(
      'draining',
      'Closing took too long and was given up; what was acknowledged is stored',
    );
  },
});
