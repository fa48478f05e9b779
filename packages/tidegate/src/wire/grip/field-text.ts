import { octetsOfText } from './octets.ts';

/** A field name (RFC 9110, section 5.1). */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A field value or a reason phrase: nothing that would end the line or is a control character (RFC 9110, section 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether this can be the name of a header field. */
export function isFieldName(name: string): boolean {
  return NAME.test(name);
}

/** Text as the octets of a field value or of a reason phrase; null if it would break the line. */
export function fieldOctets(text: string): string | null {
  const octets = octetsOfText(text);
  return VALUE.test(octets) ? octets : null;
}
