import { type Buffer, isUtf8 } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { decodeTnetstring, encodeTnetstring, type TnetInput, type TnetValue } from '../../wire/grip/index.ts';

/** What a command asks for. */
export interface CommandRequest {
  /** Comes back in the answer; null if there was none. */
  readonly id: Buffer | null;
  readonly method: string;
  readonly args: TnetObject;
}

export type TnetObject = { readonly [name: string]: TnetValue };

/** Why a command was not carried out, in Pushpin's words. */
export type Condition = 'bad-request' | 'method-not-found' | 'item-not-found' | 'service-unavailable';

/** What is answered: a value, or a condition, with a text that says more where there is one. */
export type CommandResult =
  | { readonly value: TnetInput }
  | { readonly condition: Condition; readonly detail?: string };

/**
 * Reads `{id, method, args}`.
 * @throws TidegateError grip_item_invalid
 */
export function parseCommand(frames: readonly Buffer[], limits: Limits): CommandRequest {
  if (frames.length !== 1) throw invalid(`The command has ${frames.length} frames instead of one.`);
  const value = decodeTnetstring(frames[0], limits);
  if (!isObject(value)) throw invalid('The command is not an object.');
  const { id = null, method, args = EMPTY_ARGS } = value;
  if (id !== null && !isBytes(id)) throw invalid('id is not text.');
  const name = textOf(method);
  if (name === null) throw invalid('method is not text.');
  if (!isObject(args)) throw invalid('args is not an object.');
  return { id, method: name, args };
}

export function encodeResult(id: Buffer | null, result: CommandResult): Buffer {
  const body: Record<string, TnetInput> =
    'value' in result
      ? { success: true, value: result.value }
      : {
          success: false,
          condition: result.condition,
          ...(result.detail !== undefined && { value: result.detail }),
        };
  return encodeTnetstring(id === null ? body : { id, ...body });
}

/** The text of a byte string; null for anything else. */
export function textOf(value: TnetValue | undefined): string | null {
  return isBytes(value) && isUtf8(value) ? value.toString('utf8') : null;
}

const EMPTY_ARGS: TnetObject = Object.freeze({});

function isBytes(value: TnetValue | undefined): value is Buffer {
  return value instanceof Uint8Array;
}

function isObject(value: TnetValue): value is TnetObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value);
}

const invalid = (detail: string): TidegateError => new TidegateError('grip_item_invalid', detail);
