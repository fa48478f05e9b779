import { Buffer } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import {
  fieldPairs,
  type GripInstruct,
  instructInTurn,
  parseInstructBody,
  parseInstructFields,
} from '../../wire/grip/index.ts';
import type { OriginHead } from '../origin/exchange.ts';
import { fieldOf } from './held-response.ts';

/** Where the answer of an origin has its instruction: nowhere, in its fields, or in its body, too. */
export type InstructPlace = ReturnType<typeof instructInTurn>;

export function placeOfInstruct(head: OriginHead): InstructPlace {
  return instructInTurn(head.fields);
}

/**
 * The instruction that is in the fields of an answer.
 * @throws TidegateError grip_instruct_invalid
 */
export function instructOfFields(head: OriginHead, limits: Limits): GripInstruct {
  return checked(parseInstructFields(fieldPairs(head.fields), limits), head);
}

/**
 * The instruction of an answer whose body is one.
 * @throws TidegateError grip_instruct_invalid
 */
export function instructOfBody(head: OriginHead, body: Buffer, limits: Limits): GripInstruct {
  return checked(parseInstructBody(head.status, fieldPairs(head.fields), body, limits), head);
}

/** What is published is not encoded: behind a body that is, or in place of it, it would be nothing that a client can read. */
function checked(instruct: GripInstruct, head: OriginHead): GripInstruct {
  const coding = fieldOf(head.fields, 'content-encoding');
  const goesOn = instruct.hold !== null || instruct.nextLink !== null;
  if (goesOn && coding !== undefined && coding.trim().toLowerCase() !== 'identity') {
    throw new TidegateError(
      'grip_instruct_invalid',
      `A response that is held cannot have the coding ${JSON.stringify(coding)}.`,
    );
  }
  return instruct;
}

/** A body that has to be complete before it is of use. */
export class CollectedBody {
  readonly #bytesMax: number;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(limits: Limits) {
    this.#bytesMax = limits.gripInstructBytesMax;
  }

  /** @throws TidegateError grip_instruct_invalid, if it becomes too large */
  add(slice: Buffer): void {
    this.#bytes += slice.length;
    if (this.#bytes > this.#bytesMax) {
      throw new TidegateError(
        'grip_instruct_invalid',
        `A body that is held, or is an instruction, has more than ${this.#bytesMax} bytes.`,
      );
    }
    this.#parts.push(slice);
  }

  take(): Buffer {
    return this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
  }
}
