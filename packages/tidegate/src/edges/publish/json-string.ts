import { Buffer } from 'node:buffer';

const BACKSLASH = 0x5c;

function hasEscape(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] === BACKSLASH) return true;
  return false;
}

/** The characters of a JSON string that was scanned, of which `bytes[start, end)` lie between the quotes. */
export function decodeJsonString(bytes: Buffer, start: number, end: number): string {
  if (!hasEscape(bytes, start, end)) return bytes.toString('utf8', start, end);
  return JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string;
}

/** Decodes strings of which most equal the one before, such as the channel of one entry after another. */
export class RepeatedString {
  #text = '';
  #raw: Buffer | null = null;

  read(bytes: Buffer, start: number, end: number): string {
    const raw = this.#raw;
    if (raw !== null && raw.length === end - start && equals(raw, bytes, start)) return this.#text;
    this.#text = decodeJsonString(bytes, start, end);
    // A copy: the source is large and would be kept alive.
    this.#raw = Buffer.from(bytes.subarray(start, end));
    return this.#text;
  }
}

function equals(raw: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < raw.length; i++) if (raw[i] !== bytes[start + i]) return false;
  return true;
}

/** The names that entries have nearly always, by their length, so that no text is made to recognise them. */
const KNOWN_NAMES: readonly (readonly string[])[] = ((): string[][] => {
  const byLength: string[][] = Array.from({ length: 16 }, () => []);
  for (const name of [
    'channel',
    'data',
    'data_base64',
    'id',
    'source',
    'type',
    'subject',
    'time',
    'specversion',
    'datacontenttype',
    'dataschema',
  ]) {
    byLength[name.length].push(name);
  }
  return byLength;
})();

function isName(bytes: Buffer, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name.charCodeAt(i)) return false;
  return true;
}

/** The name of a member, of which `bytes[start, end)` lie between the quotes. */
export function memberName(bytes: Buffer, start: number, end: number): string {
  const known = end - start < KNOWN_NAMES.length ? KNOWN_NAMES[end - start] : [];
  for (const name of known) if (isName(bytes, start, name)) return name;
  return decodeJsonString(bytes, start, end);
}
