/** What is wrong with what a client sent, in the words of the protocol. */
export type MessagesProblem = 'Payload expected.' | 'Broken JSON encoding.';

/**
 * Reads what a client sends: a JSON array of strings.
 * @returns the messages in their order, or what is wrong
 */
export function parseMessages(json: string): readonly string[] | MessagesProblem {
  if (json === '') return 'Payload expected.';
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'Broken JSON encoding.';
  }
  return Array.isArray(value) && value.every((message) => typeof message === 'string')
    ? (value as string[])
    : 'Payload expected.';
}

/** The JSON of a form's field `d` (`jsonp_send`); empty if it has none. */
export function messagesOfForm(form: string): string {
  return new URLSearchParams(form).get('d') ?? '';
}
