/** Texts without such digits hold no number that `JSON.parse` would change for worse. */
const EXACTNESS_AT_RISK = /\d{16}|\d[eE]/;

interface Source {
  readonly source?: string;
}

interface RawJson {
  /** A value that `JSON.stringify` prints as the text given (ECMAScript, JSON.rawJSON). */
  rawJSON(text: string): unknown;
}

/** Parses JSON so that `JSON.stringify` gives back every number as it was written, where a double cannot hold it. */
export function parseExactly(text: string): unknown {
  return EXACTNESS_AT_RISK.test(text) ? JSON.parse(text, keepNumber) : JSON.parse(text);
}

function keepNumber(_key: string, value: unknown, context?: Source): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  if (Number.isSafeInteger(value) || String(value) === context.source) return value;
  return (JSON as unknown as RawJson).rawJSON(context.source);
}
