import { Buffer, isUtf8 } from 'node:buffer';
import type { PublishedEvent } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import {
  type Attribute,
  assertAttribute,
  assertRequired,
  attributeInvalid,
  SERVER_ATTRIBUTES,
} from './attributes.ts';
import { parseContentType } from './content-type.ts';
import { NO_SOURCE } from './event-of-body.ts';
import { MemberScanner } from './json-members.ts';
import { assertJsonText, skipValue } from './json-scan.ts';
import { decodeJsonString, memberName, RepeatedString } from './json-string.ts';

const OPEN_BRACE = 0x7b;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NO_ATTRIBUTES: readonly Attribute[] = [];
const JSON_ATTRIBUTES: readonly Attribute[] = [['datacontenttype', 'application/json']];
const TEXT_ATTRIBUTES: readonly Attribute[] = [['datacontenttype', 'text/plain']];
/** CloudEvents 1.0, section 3.1, "Integer": a signed 32-bit number, without fraction and exponent. */
const INTEGER = /^(?:0|-?[1-9][0-9]{0,9})$/;

/** How entries are read. */
export interface EntryRules {
  /** The channel that every entry goes to; null if each names its own. */
  readonly channel: string | null;
  /** `cloudevents`: every entry must be a CloudEvent. `shorthand`: one without specversion may leave out everything. */
  readonly form: 'cloudevents' | 'shorthand';
}

/** An entry that was read: the event or what is wrong with it, and the position after it. */
export interface EntryOutcome {
  readonly event: PublishedEvent | TidegateError;
  readonly end: number;
}

/** What an entry has, as its members are met. */
class EntryParts {
  channel: string | null = null;
  specversion: string | undefined;
  id: string | null = null;
  source: string | null = null;
  contentType: string | null = null;
  attributes: Attribute[] | null = null;
  /** The bytes of the value of `data`; -1 if there is none. */
  dataStart = -1;
  dataEnd = -1;
  base64: string | null = null;
}

const members = new MemberScanner();
const channelName = new RepeatedString();

/**
 * Reads one entry, which begins at `at`: a JSON object with `channel`, CloudEvents attributes, and `data` or `data_base64` or
 * neither. The bytes must be valid UTF-8. The data of the event are the very bytes of the source where they can be.
 * @throws TidegateError json_malformed, where the text cannot be read on
 */
export function readEntry(bytes: Buffer, at: number, end: number, rules: EntryRules): EntryOutcome {
  if (at < end && bytes[at] === OPEN_BRACE) {
    members.open(bytes, at, end);
    try {
      const event = readMembers(bytes, rules);
      return { event, end: members.end };
    } catch (error) {
      if (!(error instanceof TidegateError) || error.code === 'json_malformed') throw error;
      // What is left of the entry must be JSON too, or else the next entry cannot be found.
      return { event: error, end: skipValue(bytes, at, end) };
    }
  }
  const after = skipValue(bytes, at, end);
  return { event: new TidegateError('event_invalid', 'An event is a JSON object'), end: after };
}

function readMembers(bytes: Buffer, rules: EntryRules): PublishedEvent {
  const parts = new EntryParts();
  while (members.next()) {
    const name = memberName(bytes, members.nameStart, members.nameEnd);
    switch (name) {
      case 'data':
        if (parts.dataStart !== -1) throw attributeInvalid(name, 'is given twice');
        parts.dataStart = members.valueStart;
        parts.dataEnd = members.valueEnd;
        break;
      case 'channel':
        if (parts.channel !== null) throw attributeInvalid(name, 'is given twice');
        assertString(bytes, name);
        parts.channel = channelName.read(bytes, members.valueStart + 1, members.valueEnd - 1);
        break;
      case 'data_base64':
        if (parts.base64 !== null) throw attributeInvalid(name, 'is given twice');
        assertString(bytes, name);
        parts.base64 = decodeJsonString(bytes, members.valueStart + 1, members.valueEnd - 1);
        break;
      default: {
        const value = attributeValue(bytes, name);
        if (value !== null) addAttribute(parts, name, value);
      }
    }
  }
  return eventOfParts(bytes, parts, rules);
}

function assertString(bytes: Buffer, name: string): void {
  if (bytes[members.valueStart] !== QUOTE) throw attributeInvalid(name, 'is not a string');
}

/** CloudEvents JSON format, section 2.2: strings, booleans and integers are values of attributes, and null is none. */
function attributeValue(bytes: Buffer, name: string): string | null {
  const { valueStart, valueEnd } = members;
  if (bytes[valueStart] === QUOTE) return decodeJsonString(bytes, valueStart + 1, valueEnd - 1);
  const literal = bytes.toString('latin1', valueStart, Math.min(valueEnd, valueStart + 16));
  if (literal === 'null') return null;
  if (literal === 'true' || literal === 'false') return literal;
  if (INTEGER.test(literal) && Number(literal) === (Number(literal) | 0)) return literal;
  throw attributeInvalid(name, 'is neither a string nor a boolean nor a 32-bit integer');
}

function addAttribute(parts: EntryParts, name: string, value: string): void {
  if (name === 'specversion') {
    if (parts.specversion !== undefined) throw attributeInvalid(name, 'is given twice');
    parts.specversion = value;
    return;
  }
  assertAttribute(name, value);
  if (SERVER_ATTRIBUTES.has(name)) return;
  parts.attributes ??= [];
  if (parts.attributes.some(([other]) => other === name)) throw attributeInvalid(name, 'is given twice');
  parts.attributes.push([name, value]);
  if (name === 'id') parts.id = value;
  else if (name === 'source') parts.source = value;
  else if (name === 'datacontenttype') parts.contentType = value;
}

function eventOfParts(bytes: Buffer, parts: EntryParts, rules: EntryRules): PublishedEvent {
  const channel = rules.channel ?? parts.channel;
  if (channel === null) throw attributeInvalid('channel', 'is missing');
  const { specversion, contentType, base64 } = parts;
  const attributes = parts.attributes ?? NO_ATTRIBUTES;
  const isCloudEvent = rules.form === 'cloudevents' || specversion !== undefined;
  if (isCloudEvent) assertRequired(specversion, attributes);
  if (base64 !== null) {
    if (parts.dataStart !== -1) {
      throw new TidegateError('event_invalid', 'The members "data" and "data_base64" exclude each other');
    }
    const data = decodeBase64(base64);
    return event(channel, parts, data, kindOfBytes(data, contentType), attributes);
  }
  if (parts.dataStart === -1) return event(channel, parts, null, 'binary', attributes);
  const isString = bytes[parts.dataStart] === QUOTE;
  if (contentType !== null) {
    if (parseContentType(contentType).rule === 'json')
      return event(channel, parts, jsonData(bytes, parts), 'json', attributes);
    if (isString) return event(channel, parts, textData(bytes, parts), 'text', attributes);
    throw attributeInvalid('data', 'is not a string, though datacontenttype does not say JSON');
  }
  // CloudEvents JSON format, section 3.1: without datacontenttype, data are JSON. In the shorthand a string is a text.
  if (isCloudEvent) return event(channel, parts, jsonData(bytes, parts), 'json', attributes);
  if (isString)
    return event(channel, parts, textData(bytes, parts), 'text', withImplied(attributes, TEXT_ATTRIBUTES));
  return event(channel, parts, jsonData(bytes, parts), 'json', withImplied(attributes, JSON_ATTRIBUTES));
}

function event(
  channel: string,
  parts: EntryParts,
  data: Buffer | null,
  dataKind: PublishedEvent['dataKind'],
  attributes: readonly Attribute[],
): PublishedEvent {
  return {
    channel,
    data,
    dataKind,
    attributes,
    clientId: parts.id,
    identitySource: parts.source ?? NO_SOURCE,
  };
}

/** Attributes with the content type that the form of the data implies. Most entries have none of their own. */
function withImplied(attributes: readonly Attribute[], implied: readonly Attribute[]): readonly Attribute[] {
  return attributes.length === 0 ? implied : [...attributes, ...implied];
}

/** The JSON value that the data are, as it was sent. */
function jsonData(bytes: Buffer, parts: EntryParts): Buffer {
  return bytes.subarray(parts.dataStart, parts.dataEnd);
}

/** The characters of the JSON string that the data are, as UTF-8. */
function textData(bytes: Buffer, parts: EntryParts): Buffer {
  const raw = bytes.subarray(parts.dataStart + 1, parts.dataEnd - 1);
  if (!raw.includes(BACKSLASH)) return raw;
  const text = decodeJsonString(bytes, parts.dataStart + 1, parts.dataEnd - 1);
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  throw new TidegateError(
    'utf8_invalid',
    'The data have half of a surrogate pair, which has no form in UTF-8',
  );
}

/** What decoded bytes are: without a content type, what was sent as bytes is delivered as bytes. */
function kindOfBytes(data: Buffer, contentType: string | null): PublishedEvent['dataKind'] {
  const rule = contentType === null ? 'binary' : parseContentType(contentType).rule;
  if (rule === 'binary') return 'binary';
  if (!isUtf8(data)) {
    if (rule === 'maybe text') return 'binary';
    throw new TidegateError(
      'utf8_invalid',
      `The decoded data_base64 is not UTF-8, which ${contentType} is taken to be`,
    );
  }
  if (rule !== 'json') return 'text';
  try {
    assertJsonText(data, 0, data.length);
  } catch (error) {
    // The batch itself can be read on, unlike one that is malformed around the entry.
    throw attributeInvalid('data_base64', `decodes to malformed JSON (${TidegateError.from(error).detail})`);
  }
  return 'json';
}

/**
 * RFC 4648, section 4: the standard alphabet, padded, and with unused bits that are zero, so that one text stands for one
 * sequence of bytes.
 */
function decodeBase64(text: string): Buffer {
  const data = Buffer.from(text, 'base64');
  if (data.toString('base64') === text) return data;
  throw new TidegateError('base64_invalid');
}
