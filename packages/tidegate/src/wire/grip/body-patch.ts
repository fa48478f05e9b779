import { Buffer, isUtf8 } from 'node:buffer';
import { TidegateError } from '../../kernel/index.ts';

/** Applies a JSON patch (RFC 6902) to a document and returns the new one; throws a TidegateError if it cannot. */
export type ApplyPatch = (document: unknown, operations: readonly unknown[]) => unknown;

/** The line end at the end of a text, if it has one. */
const LINE_END = /\r?\n$/;

/**
 * The body that a held response has after the `body-patch` of an item: JSON without spacing, with the line end that the held body
 * has. Numbers that JavaScript cannot tell apart come out as it prints them.
 * @throws TidegateError grip_item_invalid, if the body is not JSON; and what `applyPatch` throws
 */
export function patchBody(body: Uint8Array, operations: readonly unknown[], applyPatch: ApplyPatch): Buffer {
  if (!isUtf8(body)) throw notJson();
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8');
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw notJson(error);
  }
  const lineEnd = LINE_END.exec(text)?.[0] ?? '';
  return Buffer.from(JSON.stringify(applyPatch(document, operations)) + lineEnd, 'utf8');
}

function notJson(cause?: unknown): TidegateError {
  return new TidegateError('grip_item_invalid', 'body-patch meets a body that is not JSON.', { cause });
}
