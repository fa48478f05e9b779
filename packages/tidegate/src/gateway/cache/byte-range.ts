/** What a Range field asks of a whole response: a part of it, none of it, or nothing that is answered with a part. */
export type RangeOutcome =
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' }
  | { readonly kind: 'whole' };

const WHOLE: RangeOutcome = { kind: 'whole' };
const UNSATISFIABLE: RangeOutcome = { kind: 'unsatisfiable' };

/** One range of bytes (RFC 9110, section 14.1.2): first and last position, first alone, or how many at the end. */
const SINGLE = /^bytes=[\t ]*(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))[\t ]*$/i;

/**
 * Reads a Range field. Several ranges, other units and what is malformed get the whole response, which section 14.2 allows: a part each for
 * overlapping ranges is a known way to have a server send a multiple of what it has.
 * @returns for a part, its first byte and the one after its last
 */
export function rangeOf(field: string, lengthBytes: number): RangeOutcome {
  const match = SINGLE.exec(field);
  if (match === null) return WHOLE;
  if (match[3] !== undefined) {
    const suffix = Number(match[3]);
    if (suffix === 0 || lengthBytes === 0) return UNSATISFIABLE;
    return { kind: 'part', start: Math.max(0, lengthBytes - suffix), end: lengthBytes };
  }
  const start = Number(match[1]);
  const last = match[2] === undefined ? lengthBytes - 1 : Number(match[2]);
  if (match[2] !== undefined && last < start) return WHOLE;
  if (start >= lengthBytes) return UNSATISFIABLE;
  return { kind: 'part', start, end: Math.min(last + 1, lengthBytes) };
}
