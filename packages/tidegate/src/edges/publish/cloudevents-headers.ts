import { Buffer, isUtf8 } from 'node:buffer';
import type { Headers } from '../../listeners/port.ts';
import {
  type Attribute,
  assertAttribute,
  assertRequired,
  attributeInvalid,
  SERVER_ATTRIBUTES,
} from './attributes.ts';

const PREFIX = 'ce-';
const QUOTED = /^"(?:[^"\\]|\\.)*"$/;
const PERCENT = 0x25;
const HEX_PAIR = /^[0-9A-Fa-f]{2}$/;

/**
 * The value of a header of the CloudEvents HTTP binding (1.0.2, section 3.1.3.2): unquoted, then percent-decoded once, then
 * read as UTF-8.
 */
function decodeValue(name: string, header: string): string {
  const unquoted = QUOTED.test(header) ? header.slice(1, -1).replace(/\\(.)/g, '$1') : header;
  const octets = Buffer.from(unquoted, 'latin1');
  let length = 0;
  for (let i = 0; i < octets.length; i++) {
    let octet = octets[i];
    if (octet === PERCENT) {
      const pair = octets.toString('latin1', i + 1, i + 3);
      if (!HEX_PAIR.test(pair)) throw attributeInvalid(name, 'has a % that no two hexadecimal digits follow');
      octet = Number.parseInt(pair, 16);
      i += 2;
    }
    octets[length++] = octet;
  }
  const decoded = octets.subarray(0, length);
  if (!isUtf8(decoded)) throw attributeInvalid(name, 'is not valid UTF-8');
  return decoded.toString('utf8');
}

/** Whether the request is an event in the binary mode: any required attribute announces it. */
export function hasCloudEventHeaders(headers: Headers): boolean {
  return (
    headers.get('ce-specversion') !== undefined ||
    headers.get('ce-id') !== undefined ||
    headers.get('ce-type') !== undefined ||
    headers.get('ce-source') !== undefined
  );
}

/**
 * The attributes of an event in the binary mode (CloudEvents HTTP binding, section 3.1), without `datacontenttype`, which is the
 * Content-Type.
 * @throws TidegateError event_invalid, naming the attribute
 */
export function readCloudEventHeaders(headers: Headers): readonly Attribute[] {
  const attributes: Attribute[] = [];
  const seen = new Set<string>();
  let specversion: string | undefined;
  for (const [header, raw] of headers.entries()) {
    if (!header.startsWith(PREFIX)) continue;
    const name = header.slice(PREFIX.length);
    if (seen.has(name)) throw attributeInvalid(name, 'is given twice');
    seen.add(name);
    const value = decodeValue(name, raw);
    if (name === 'specversion') {
      specversion = value;
    } else if (name === 'datacontenttype') {
      // Section 3.1.1: the attribute is mapped to Content-Type, and to nothing else.
      throw attributeInvalid(name, 'is given as a header of its own instead of Content-Type');
    } else {
      assertAttribute(name, value);
      if (!SERVER_ATTRIBUTES.has(name)) attributes.push([name, value]);
    }
  }
  assertRequired(specversion, attributes);
  return attributes;
}
