import { TidegateError } from '../../kernel/index.ts';
import { type ApiOutcome, outcomeText } from './api-outcome.ts';
import { type Fields, fieldsOf, integerOf, textOf } from './json-fields.ts';
import { parseExactly } from './json-number.ts';

/** A call of the server API as the body of a request to `/api` names it. */
export interface ApiCommand {
  /** Given back in the reply; 0 for none. */
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

/**
 * The commands of a body: one JSON object, or one on each line.
 * @throws TidegateError json_malformed
 * @throws MalformedCommand
 */
export function readApiCommands(text: string): readonly ApiCommand[] {
  return valuesOf(text).map((value) => commandOf(fieldsOf(value, 'a command')));
}

function valuesOf(text: string): readonly unknown[] {
  try {
    return [parseExactly(text)];
  } catch {
    // Then there are several.
  }
  try {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return lines.map(parseExactly);
  } catch (error) {
    throw new TidegateError('json_malformed', '', { cause: error });
  }
}

function commandOf({ id, method, params }: Fields): ApiCommand {
  return { id: integerOf(id, 'id'), method: textOf(method, 'method'), params };
}

/** The replies to commands, one on each line. */
export function apiReplies(commands: readonly ApiCommand[], outcomes: readonly ApiOutcome[]): string {
  const lines = commands.map(({ id }, index) => {
    const told = outcomeText(outcomes[index]);
    return id === 0 ? `{${told}}` : `{"id":${id},${told}}`;
  });
  return lines.join('\n');
}
