import { parseArgs } from 'node:util';
import { markdownTable, plainTable, type Table } from './table.ts';

/** What every benchmark takes on its command line, besides options of its own. */
export interface BenchOptions {
  /** Markdown instead of plain text. */
  readonly markdown: boolean;
  /** Runs only the servers whose name begins with one of these; all if empty. */
  readonly servers: readonly string[];
  readonly protocols: readonly Protocol[];
  /** How long one measurement lasts. */
  readonly seconds: number;
  /** The value of an option of the benchmark's own. */
  readonly own: (name: string) => string;
  /** The same as a list of numbers. */
  readonly numbers: (name: string) => readonly number[];
}

export type Protocol = 'sse' | 'websocket';

/**
 * Reads the command line of a benchmark.
 * @param defaults the benchmark's own options and their defaults; `seconds` may be among them
 */
export function readOptions(purpose: string, defaults: Readonly<Record<string, string>>): BenchOptions {
  const common = { servers: '', protocols: 'sse,websocket', seconds: '5' };
  const all = { ...common, ...defaults };
  const options: Record<string, { type: 'string'; default: string } | { type: 'boolean' }> = {
    markdown: { type: 'boolean' },
    help: { type: 'boolean' },
  };
  for (const [name, value] of Object.entries(all)) options[name] = { type: 'string', default: value };
  const values = parseArgs({ options, strict: true }).values as Readonly<
    Record<string, string | boolean | undefined>
  >;
  if (values.help === true) {
    const lines = Object.entries(all).map(([name, value]) => `  --${name} ${value === '' ? '(all)' : value}`);
    process.stdout.write(`${purpose}\n\nOptions and their defaults:\n  --markdown\n${lines.join('\n')}\n`);
    process.exit(0);
  }
  const own = (name: string) => String(values[name] ?? '');
  const list = (name: string) =>
    own(name)
      .split(',')
      .filter((item) => item !== '');
  return {
    markdown: values.markdown === true,
    servers: list('servers'),
    protocols: list('protocols').map(protocolOf),
    seconds: Number(own('seconds')),
    own,
    numbers: (name) => list(name).map(Number),
  };
}

function protocolOf(name: string): Protocol {
  if (name === 'sse' || name === 'websocket') return name;
  throw new Error(`--protocols: "${name}" is neither sse nor websocket`);
}

/** True if the benchmark shall run a server of this name. */
export function wanted(options: BenchOptions, server: string): boolean {
  return options.servers.length === 0 || options.servers.some((prefix) => server.startsWith(prefix));
}

/** Prints the outcome of a benchmark. */
export function printTable(options: BenchOptions, table: Table): void {
  process.stdout.write(`${options.markdown ? markdownTable(table) : plainTable(table)}\n`);
}

/** Tells on stderr what is going on, so that stdout holds the table alone. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
