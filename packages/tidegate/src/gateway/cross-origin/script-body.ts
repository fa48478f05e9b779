import { Buffer } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { TidegateError } from '../../kernel/index.ts';
import {
  callBegin,
  ENVELOPE_END,
  type EnvelopeHead,
  envelopeBegin,
  envelopePart,
  scriptJson,
  scriptLiteral,
} from '../../wire/jsonp/index.ts';

/** Makes a script of a response, part by part. */
export interface ScriptBody {
  /** What stands before the body. */
  begin(): string;
  /** A part of the body; empty if nothing can be said of it yet. @throws TidegateError upstream_malformed */
  part(bytes: Uint8Array): string;
  end(): string;
}

const CALL_END = ');\n';

/** Extended mode: a call with an object, in which the body is a text. Parts are sent as they come. */
export class EnvelopeScript implements ScriptBody {
  readonly #callback: string;
  readonly #head: EnvelopeHead;
  /** A character may be cut between two parts. */
  readonly #decoder = new StringDecoder('utf8');

  constructor(callback: string, head: EnvelopeHead) {
    this.#callback = callback;
    this.#head = head;
  }

  begin(): string {
    return callBegin(this.#callback) + envelopeBegin(this.#head);
  }

  part(bytes: Uint8Array): string {
    return envelopePart(this.#decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)));
  }

  end(): string {
    return envelopePart(this.#decoder.end()) + ENVELOPE_END + CALL_END;
  }
}

/**
 * Basic mode: a call with the body. What stands there is run as a script in the page, so that only JSON may: all else becomes a text. That shows
 * only once the body is complete.
 */
export class BareScript implements ScriptBody {
  readonly #callback: string;
  readonly #bytesMax: number;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(callback: string, bytesMax: number) {
    this.#callback = callback;
    this.#bytesMax = bytesMax;
  }

  begin(): string {
    return '';
  }

  part(bytes: Uint8Array): string {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#bytesMax)
      throw new TidegateError(
        'upstream_malformed',
        `A body for a callback has more than ${this.#bytesMax} bytes.`,
      );
    this.#parts.push(Buffer.from(bytes));
    return '';
  }

  end(): string {
    const text = Buffer.concat(this.#parts)
      .toString('utf8')
      .replace(/\r?\n$/, '');
    const argument = text === '' || isJson(text) ? scriptJson(text) : scriptLiteral(text);
    return callBegin(this.#callback) + argument + CALL_END;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
