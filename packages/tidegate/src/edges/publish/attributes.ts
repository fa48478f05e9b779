import { parseTimestamp, TidegateError } from '../../kernel/index.ts';

/** A CloudEvents attribute as it is stored: whatever its type, its canonical string (CloudEvents 1.0, section 3.1). */
export type Attribute = readonly [name: string, value: string];

/** CloudEvents 1.0, section 3.1, "Naming conventions": lower-case letters and digits. */
const NAME = /^[a-z0-9]+$/;
/** Section 3.1, "String": what a string must not have. */
const FORBIDDEN_CHARACTER = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
/** RFC 2045, section 5.1: type "/" subtype *( ";" parameter ). */
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*(;.*)?$/;
/** RFC 3986: what no URI has; which of its many forms it takes is the publisher's affair. */
const NOT_IN_URI = /[\s<>"{}|\\^`]/;
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:./;

/** The attributes that CloudEvents itself defines, besides specversion. */
const KNOWN_NAMES: ReadonlySet<string> = new Set([
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
]);

/** Names that mean something else in the JSON form of an event. */
const NOT_ATTRIBUTES: ReadonlySet<string> = new Set(['data', 'specversion']);

/**
 * The names under which the server tells where an event was stored. An event that came from a server brings them along;
 * they are not kept, because they speak of another place. Nor are those by which the Centrifuge edge says who published.
 */
export const SERVER_ATTRIBUTES: ReadonlySet<string> = new Set([
  'channel',
  'cursor',
  'cfclient',
  'cfuser',
  'cfconninfo',
  'cfchaninfo',
]);

/** An `event_invalid` that names the attribute. */
export function attributeInvalid(name: string, problem: string): TidegateError {
  return new TidegateError('event_invalid', `The attribute "${name}" ${problem}`);
}

/** Whether all characters are printable ASCII, as they nearly always are; then nothing is forbidden. */
function isPrintable(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/**
 * Checks an attribute that a client gave.
 * @throws TidegateError event_invalid, naming the attribute
 */
export function assertAttribute(name: string, value: string): void {
  if (!KNOWN_NAMES.has(name) && (!NAME.test(name) || NOT_ATTRIBUTES.has(name))) {
    throw attributeInvalid(
      name,
      'does not have a name of lower-case letters and digits that an attribute may have',
    );
  }
  if (!isPrintable(value) && FORBIDDEN_CHARACTER.test(value))
    throw attributeInvalid(name, 'has a character that a CloudEvents string must not have');
  switch (name) {
    case 'id':
    case 'type':
    case 'subject':
      if (value === '') throw attributeInvalid(name, 'is empty');
      break;
    case 'source':
      if (value === '' || NOT_IN_URI.test(value)) throw attributeInvalid(name, 'is not a URI reference');
      break;
    case 'dataschema':
      if (NOT_IN_URI.test(value) || !ABSOLUTE_URI.test(value))
        throw attributeInvalid(name, 'is not an absolute URI');
      break;
    case 'datacontenttype':
      if (!MEDIA_TYPE.test(value)) throw attributeInvalid(name, 'is not a media type');
      break;
    case 'time':
      if (parseTimestamp(value) === null) throw attributeInvalid(name, 'is not an RFC 3339 time');
      break;
  }
}

/**
 * The attributes every CloudEvent must have (CloudEvents 1.0, "Required attributes").
 * @throws TidegateError event_invalid, naming the first that is missing
 */
export function assertRequired(specversion: string | undefined, attributes: readonly Attribute[]): void {
  if (specversion === undefined) throw attributeInvalid('specversion', 'is missing');
  if (specversion !== '1.0') throw attributeInvalid('specversion', 'is not "1.0"');
  for (const required of ['id', 'source', 'type']) {
    if (!attributes.some(([name]) => name === required)) throw attributeInvalid(required, 'is missing');
  }
}
