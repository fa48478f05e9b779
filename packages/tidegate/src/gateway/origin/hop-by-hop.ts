/** Fields that can be looked through by index. */
export interface IndexedFields {
  readonly count: number;
  /** The length of the name of field `index`: the cheapest way to rule a name out. */
  nameLength(index: number): number;
  /** Whether field `index` has this name, given in lower case. */
  isNamed(index: number, name: string): boolean;
  /** The name of field `index` in lower case. */
  name(index: number): string;
  value(index: number): string;
}

/**
 * Fields about one connection or about the framing of one message, by the length of their name (RFC 9110, section 7.6.1; RFC 9112,
 * section 6). Content-Length is among them, as whoever frames the message writes it anew.
 */
const ONE_HOP = namesByLength([
  'te',
  'trailer',
  'upgrade',
  'connection',
  'keep-alive',
  'content-length',
  'proxy-connection',
  'transfer-encoding',
  'proxy-authenticate',
  'proxy-authorization',
]);

/** Names of fields in lower case, by their length, see `isAmong`. */
export type NameTable = readonly (readonly string[])[];

export function namesByLength(names: readonly string[]): NameTable {
  const table: string[][] = [];
  for (const name of names) {
    table[name.length] ??= [];
    table[name.length].push(name);
  }
  return Array.from(table, (row) => row ?? []);
}

/** Whether field `index` has one of these names. Most are ruled out by their length, and no name is cut out of the head. */
export function isAmong(table: NameTable, fields: IndexedFields, index: number): boolean {
  const length = fields.nameLength(index);
  if (length >= table.length) return false;
  for (const name of table[length]) if (fields.isNamed(index, name)) return true;
  return false;
}

/** Whether field `index` ends at this hop. */
export function isHopByHop(fields: IndexedFields, index: number): boolean {
  return isAmong(ONE_HOP, fields, index);
}

/** RFC 9110, section 7.6.1: the names that Connection lists end at this hop, too. Null if it lists none but the usual. */
export function connectionOptions(fields: IndexedFields): ReadonlySet<string> | null {
  let named: Set<string> | null = null;
  for (let index = 0; index < fields.count; index++) {
    if (fields.nameLength(index) !== 10 || !fields.isNamed(index, 'connection')) continue;
    const value = fields.value(index);
    if (value === 'keep-alive' || value === 'close') continue;
    for (const option of value.split(',')) {
      const name = option.trim().toLowerCase();
      if (name === '' || name === 'close' || name === 'keep-alive' || KEPT.has(name)) continue;
      named ??= new Set();
      named.add(name);
    }
  }
  return named;
}

/**
 * Names that cannot be made to end here: a client that lists what the gateway or the origin goes by, such as `Connection: Host` or
 * `Connection: X-Forwarded-For`, would take from the origin what it decides on.
 */
const KEPT: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-type',
  'cookie',
  'forwarded',
  'host',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'via',
]);
