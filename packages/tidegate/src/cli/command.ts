import type { Terminal } from './terminal.ts';

/** What a command returns to the shell; docs/command-line.md lists the same. */
export const EXIT = { success: 0, failure: 1, misuse: 2 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An option `--name`. A flag takes no value. */
export type OptionSpec =
  | { readonly kind: 'flag'; readonly description: string }
  | {
      readonly kind: 'text';
      readonly value: string;
      readonly description: string;
      /** One letter, for `-f` beside `--file`. */
      readonly short?: string;
    }
  | {
      readonly kind: 'integer';
      readonly value: string;
      readonly min: number;
      readonly max: number;
      readonly description: string;
    };

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type OptionValue<Spec extends OptionSpec> = Spec extends { kind: 'flag' }
  ? boolean
  : (Spec extends { kind: 'integer' } ? number : string) | undefined;

/** The options as they were given, by name: flags are true or false, others undefined if missing. */
export type OptionValues<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]: OptionValue<Specs[Name]>;
};

/** What stands on the command line without a name. */
export interface OperandSpec {
  /** In capitals, such as `CHANNEL`. */
  readonly name: string;
  readonly required: 'required' | 'optional';
}

/** An invocation with what it does. */
export interface Example {
  readonly command: string;
  readonly effect: string;
}

/** One command, as a value: how it is called, how it is explained, what it does. */
export interface CommandSpec<Specs extends OptionSpecs> {
  /** One or two words, noun before verb. */
  readonly name: string;
  /** What it does, on one line, without a full stop. */
  readonly summary: string;
  /** More, for `--help`; may be empty. */
  readonly details: string;
  readonly operands: readonly OperandSpec[];
  readonly options: Specs;
  readonly examples: readonly Example[];
  /** The exit code of every error, where failure means something else; 1, and 2 for arguments_invalid, unless given. */
  readonly errorExit?: ExitCode;
  /** @throws TidegateError, which is explained to the user and ends in exit code 1 (2 for arguments_invalid) */
  run(options: OptionValues<Specs>, operands: readonly string[], terminal: Terminal): Promise<ExitCode>;
}

/** A command of which the options' types do not matter any more. */
export interface Command extends Omit<CommandSpec<OptionSpecs>, 'run'> {
  run(
    options: Readonly<Record<string, unknown>>,
    operands: readonly string[],
    terminal: Terminal,
  ): Promise<ExitCode>;
}

/** Ties the types of the options to the function that gets them. */
export function defineCommand<const Specs extends OptionSpecs>(spec: CommandSpec<Specs>): Command {
  return {
    ...spec,
    run: (options, operands, terminal) => spec.run(options as OptionValues<Specs>, operands, terminal),
  };
}
