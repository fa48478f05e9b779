/** The type of what `<script>` loads. */
export const SCRIPT_MEDIA_TYPE = 'application/javascript; charset=UTF-8';

const LINE_SEPARATORS = /[\u2028\u2029]/g;

/** A value as it may stand in a script: JSON, without the two line ends that JavaScript had and JSON has not (before ECMAScript 2019). */
export function scriptLiteral(value: unknown): string {
  return JSON.stringify(value).replace(LINE_SEPARATORS, escaped);
}

/** A JSON text as it may stand in a script. */
export function scriptJson(json: string): string {
  return json.replace(LINE_SEPARATORS, escaped);
}

/** The characters of a text as they stand between the quotes of a string. */
export function scriptCharacters(text: string): string {
  return scriptLiteral(text).slice(1, -1);
}

/** What begins a call. The comment before it keeps the file from being anything but a script: its first bytes are not the client's choice. */
export function callBegin(callback: string): string {
  return `/**/${callback}(`;
}

function escaped(separator: string): string {
  return `\\u${separator.charCodeAt(0).toString(16)}`;
}
