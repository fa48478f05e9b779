import { parseArgs } from 'node:util';
import { nearest } from '../config/index.ts';
import { TidegateError } from '../kernel/index.ts';
import type { Command, OptionSpec } from './command.ts';

/** A command line that was understood. */
export type ParsedArguments =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'run';
      readonly options: Readonly<Record<string, unknown>>;
      readonly operands: readonly string[];
    };

const misuse = (detail: string): TidegateError => new TidegateError('arguments_invalid', detail);

function unknownOption(command: Command, given: string): TidegateError {
  const name = given.replace(/^--?/, '').replace(/=.*$/s, '');
  const meant = nearest(name, Object.keys(command.options));
  return misuse(
    `${command.name} has no option ${given.replace(/=.*$/s, '')}${meant === undefined ? '' : `; did you mean --${meant}?`}`,
  );
}

function optionValue(name: string, spec: OptionSpec, given: string | boolean | undefined): unknown {
  if (spec.kind === 'flag') {
    if (typeof given === 'string') throw misuse(`--${name} takes no value`);
    return given === true;
  }
  if (given === undefined) return undefined;
  if (typeof given === 'boolean') throw misuse(`--${name} needs a value: --${name} ${spec.value}`);
  if (spec.kind === 'text') {
    if (given === '') throw misuse(`--${name} is empty`);
    return given;
  }
  const number = /^[0-9]{1,15}$/.test(given) ? Number(given) : Number.NaN;
  if (number >= spec.min && number <= spec.max) return number;
  throw misuse(
    `--${name} takes a whole number from ${spec.min} to ${spec.max}, not ${JSON.stringify(given)}`,
  );
}

function assertOperands(command: Command, operands: readonly string[]): void {
  const missing = command.operands.find(
    (operand, index) => operand.required === 'required' && index >= operands.length,
  );
  if (missing !== undefined) throw misuse(`${missing.name} is missing`);
  if (operands.length > command.operands.length) {
    const extra = operands[command.operands.length];
    throw misuse(
      `${JSON.stringify(extra)} is one argument too many; put quotes around an argument with spaces`,
    );
  }
}

/** The tokens of `parseArgs`, of which the lenient mode never fails: the words of every refusal are ours. */
function tokensOf(command: Command, given: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, spec]) => [
      name,
      {
        type: spec.kind === 'flag' ? ('boolean' as const) : ('string' as const),
        ...(spec.kind === 'text' && spec.short !== undefined ? { short: spec.short } : {}),
      },
    ]),
  );
  const config = { ...options, help: { type: 'boolean' as const, short: 'h' } };
  return parseArgs({ args: [...given], options: config, strict: false, allowPositionals: true, tokens: true })
    .tokens;
}

/**
 * Reads the arguments after the command's name. `--` ends the options; an option that is given twice counts the last time.
 * @throws TidegateError arguments_invalid
 */
export function parseArguments(command: Command, given: readonly string[]): ParsedArguments {
  const values: Record<string, string | boolean> = {};
  const operands: string[] = [];
  for (const token of tokensOf(command, given)) {
    if (token.kind === 'positional') {
      operands.push(token.value);
    } else if (token.kind === 'option') {
      if (token.name === 'help') return { kind: 'help' };
      if (!Object.hasOwn(command.options, token.name)) throw unknownOption(command, token.rawName);
      // What looks like the next option is more likely that than a value; `--name=--value` says otherwise.
      const swallowed = token.inlineValue === false && token.value.startsWith('--');
      values[token.name] = swallowed ? true : (token.value ?? true);
    }
  }
  const options: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(command.options))
    options[name] = optionValue(name, spec, values[name]);
  assertOperands(command, operands);
  return { kind: 'run', options, operands };
}
