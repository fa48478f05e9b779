/** A header field: its name in any case, and its value, in which octets beyond ASCII appear as Latin-1. */
export type Field = readonly [name: string, value: string];

/** The media type of a body that is an instruction. */
export const INSTRUCT_MEDIA_TYPE = 'application/grip-instruct';

const CONTENT_TYPE = 'content-type';

/** Whether a field is for the gateway and never for clients: its name begins with `Grip-`. */
export function isGripField(name: string): boolean {
  return (
    name.length > 5 &&
    name.charCodeAt(4) === 0x2d &&
    (name.charCodeAt(0) | 0x20) === 0x67 &&
    (name.charCodeAt(1) | 0x20) === 0x72 &&
    (name.charCodeAt(2) | 0x20) === 0x69 &&
    (name.charCodeAt(3) | 0x20) === 0x70
  );
}

/** Whether a Content-Type names the media type of instructions. */
export function isInstructMediaType(contentType: string): boolean {
  const end = contentType.indexOf(';');
  const mediaType = end === -1 ? contentType : contentType.slice(0, end);
  return mediaType.trim().toLowerCase() === INSTRUCT_MEDIA_TYPE;
}

/** Where a response has an instruction: in its fields; also in its body, which has to be complete to be read; or nowhere. */
export type InstructPlace = 'none' | 'fields' | 'body';

/** Where a response with these fields has an instruction. Looks no further at a name than it takes to rule it out. */
export function instructIn(fields: Iterable<Field>): InstructPlace {
  let place: InstructPlace = 'none';
  for (const [name, value] of fields) {
    if (isGripField(name)) place = 'fields';
    else if (isInstructType(name, value)) return 'body';
  }
  return place;
}

/** The same for fields that are names and values in turn. Allocates nothing for responses without an instruction. */
export function instructInTurn(fields: readonly string[]): InstructPlace {
  let place: InstructPlace = 'none';
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (isGripField(fields[at])) place = 'fields';
    else if (isInstructType(fields[at], fields[at + 1])) return 'body';
  }
  return place;
}

/** Fields that are names and values in turn, as pairs. */
export function fieldPairs(fields: readonly string[]): readonly Field[] {
  const pairs: Field[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) pairs.push([fields[at], fields[at + 1]]);
  return pairs;
}

function isInstructType(name: string, value: string): boolean {
  return (
    name.length === CONTENT_TYPE.length &&
    // Most media types are shorter.
    value.length >= INSTRUCT_MEDIA_TYPE.length &&
    name.toLowerCase() === CONTENT_TYPE &&
    isInstructMediaType(value)
  );
}
