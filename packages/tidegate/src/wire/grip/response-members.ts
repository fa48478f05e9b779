import { fieldOctets, isFieldName } from './field-text.ts';
import type { Field } from './instruct-detection.ts';
import type { Members } from './members.ts';
import { trimBlanks } from './octets.ts';

/** The member `code`, null if it is absent: a status that ends an exchange, which 1xx would not. */
export function statusCodeOf(members: Members): number | null {
  return members.wholeNumber('code', 200, 999);
}

/** The member `reason` as octets; null if it is absent or empty. */
export function reasonOf(members: Members): string | null {
  const reason = fieldOctets(members.text('reason') ?? '');
  if (reason === null) throw members.fault('reason', 'has a control character');
  return reason || null;
}

/** The member `headers`, in which nothing can end a line; empty if it is absent. */
export function headersOf(members: Members): readonly Field[] {
  return (members.textPairs('headers') ?? []).map(([name, text]) => {
    const value = fieldOctets(text);
    if (!isFieldName(name)) throw members.fault('headers', `has an invalid name: ${JSON.stringify(name)}`);
    if (value === null) throw members.fault(`headers.${name}`, 'has a control character');
    return [name, trimBlanks(value)];
  });
}
