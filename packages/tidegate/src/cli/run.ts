import { nearest } from '../config/index.ts';
import { packageVersion, TidegateError } from '../kernel/index.ts';
import { parseArguments } from './arguments.ts';
import { type Command, EXIT, type ExitCode } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { exitCodeOf, explain } from './explain.ts';
import { helpOf, overview } from './help.ts';
import { type Terminal, write } from './terminal.ts';

/** The command that the first words name, and what follows them. */
interface Chosen {
  readonly command: Command;
  readonly rest: readonly string[];
}

function choose(given: readonly string[]): Chosen | undefined {
  for (const command of COMMANDS) {
    const words = command.name.split(' ');
    if (words.every((word, index) => given[index] === word))
      return { command, rest: given.slice(words.length) };
  }
  return undefined;
}

/** Commands of which only the first word was given, such as `topics`. */
const groupOf = (word: string): readonly Command[] =>
  COMMANDS.filter(({ name }) => name.startsWith(`${word} `));

function unknownCommand(given: readonly string[]): TidegateError {
  const group = groupOf(given[0]);
  if (group.length > 0) {
    const names = group.map(({ name }) => name.split(' ')[1]).join(' or ');
    const what =
      given[1] === undefined
        ? `${given[0]} needs a second word`
        : `There is no command ${given[0]} ${given[1]}`;
    return new TidegateError('arguments_invalid', `${what}: ${names}`);
  }
  const meant = nearest(given[0], [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0]))]);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return new TidegateError('arguments_invalid', `There is no command ${JSON.stringify(given[0])}${hint}`);
}

/** What to type after an error, where one thing is likely to help. */
function nextStep(error: TidegateError, command: Command | undefined): string | undefined {
  switch (error.code) {
    case 'arguments_invalid':
      return `tidegate ${command === undefined ? '' : `${command.name} `}--help`;
    case 'server_unreachable':
      return 'tidegate start';
    case 'credential_missing':
      return 'export TIDEGATE_TOKEN=KEY';
    case 'log_topic_unknown':
      return 'tidegate topics list';
    case 'resource_kind_unknown':
    case 'resource_unknown':
    case 'resource_conflict':
      return 'tidegate get';
    case 'listen_failed':
      return 'tidegate start --port 0 --admin-port 0';
    default:
      return undefined;
  }
}

const wantsHelp = (word: string): boolean => word === '--help' || word === '-h' || word === 'help';

/** Runs one command line and reports what happened. Never throws: every error is explained on the terminal. */
export async function runCommandLine(given: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let chosen: Chosen | undefined;
  try {
    if (given.length === 0) {
      await write(terminal.errors, `${overview(COMMANDS)}\n`);
      return EXIT.misuse;
    }
    if (wantsHelp(given[0]) && given.length === 1) {
      await write(terminal.output, `${overview(COMMANDS)}\n`);
      return EXIT.success;
    }
    if (given[0] === '--version' || given[0] === '-v') {
      await write(terminal.output, `${await packageVersion()}\n`);
      return EXIT.success;
    }
    // `tidegate help publish` is `tidegate publish --help`.
    const words = given[0] === 'help' ? [...given.slice(1), '--help'] : given;
    const group = groupOf(words[0]);
    if (group.length > 0 && words.length === 2 && wantsHelp(words[1])) {
      await write(terminal.output, `${group.map(helpOf).join('\n\n')}\n`);
      return EXIT.success;
    }
    chosen = choose(words);
    if (chosen === undefined) throw unknownCommand(words);
    const parsed = parseArguments(chosen.command, chosen.rest);
    if (parsed.kind === 'help') {
      await write(terminal.output, `${helpOf(chosen.command)}\n`);
      return EXIT.success;
    }
    return await chosen.command.run(parsed.options, parsed.operands, terminal);
  } catch (thrown) {
    const error = TidegateError.from(thrown);
    await write(terminal.errors, `${explain(error, nextStep(error, chosen?.command))}\n`);
    return chosen?.command.errorExit ?? exitCodeOf(error);
  }
}
