import type { Command, OptionSpec } from './command.ts';

const GAP = 2;

/** Lines of two columns, the second of which begins at the same place in all. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + GAP;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n');
}

function synopsis(name: string, option: OptionSpec): string {
  if (option.kind === 'flag') return `--${name}`;
  const short = option.kind === 'text' && option.short !== undefined ? `, -${option.short}` : '';
  return `--${name}${short} ${option.value}`;
}

/** `tidegate publish CHANNEL [DATA] [options]` */
export function usageOf(command: Command): string {
  const operands = command.operands.map(({ name, required }) =>
    required === 'required' ? name : `[${name}]`,
  );
  return ['tidegate', command.name, ...operands, '[options]'].join(' ');
}

/** What `tidegate COMMAND --help` prints. */
export function helpOf(command: Command): string {
  const options = Object.entries(command.options).map(
    ([name, option]) => [synopsis(name, option), option.description] as const,
  );
  const examples = command.examples.map(({ command: line, effect }) => `  # ${effect}\n  ${line}`);
  return [
    `${command.summary}.`,
    ...(command.details === '' ? [] : [command.details]),
    `Usage:\n  ${usageOf(command)}`,
    `Options:\n${columns([...options, ['-h, --help', 'Show this help']])}`,
    `Examples:\n${examples.join('\n\n')}`,
  ].join('\n\n');
}

/** What `tidegate --help` prints. */
export function overview(commands: readonly Command[]): string {
  return [
    'Tidegate turns HTTP APIs and event logs into real-time APIs.',
    'Usage:\n  tidegate COMMAND [arguments]',
    `Commands:\n${columns(commands.map((command) => [command.name, command.summary]))}`,
    `Options:\n${columns([
      ['-h, --help', 'Show this help; after a command, show the help of the command'],
      ['-v, --version', 'Show the version'],
    ])}`,
    [
      'A first minute:',
      '  tidegate start                                    # in one terminal',
      '  tidegate subscribe greetings                      # in another',
      '  tidegate publish greetings "Hello, everybody"     # in a third',
    ].join('\n'),
  ].join('\n\n');
}
