import { createHmac } from 'node:crypto';
import { SIGNATURE } from './gateway.ts';
import type { Answer, OpenAnswer } from './http-client.ts';
import type { AskedRequest } from './scripted-origin.ts';

/** What was observed: compared as it is. */
export type Recording =
  | { readonly [key: string]: Recording }
  | readonly Recording[]
  | string
  | number
  | boolean
  | null;

/**
 * Fields that differ in every answer or are no concern of either: the scenario "standing fields of an answer" shows them.
 * Everything else is compared everywhere.
 */
const STANDING_OF_ANSWERS: readonly string[] = [
  'connection',
  'date',
  'keep-alive',
  'transfer-encoding',
  'via',
];

/** The same for requests, as "standing fields of a request" shows. */
const STANDING_OF_REQUESTS: readonly string[] = [
  'accept-encoding',
  'connection',
  'forwarded',
  'grip-feature',
  'grip-sig',
  'host',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
];

/** An answer without its standing fields. */
export function answerOf({ status, reason, headers, body, end }: Answer): Recording {
  return { status, reason, headers: without(headers, STANDING_OF_ANSWERS), body, end };
}

/** The head of an answer that goes on, without its standing fields. */
export function headOf({ status, reason, headers }: OpenAnswer): Recording {
  return { status, reason, headers: without(headers, STANDING_OF_ANSWERS) };
}

/** An answer that may be an error: its status, and the code or the text that it has. */
export function failureOf({ status, headers, body, end }: Answer): Recording {
  if (headers['content-type'] !== 'application/problem+json')
    return { status, says: body.slice(0, 100), end };
  const { code } = JSON.parse(body) as { readonly code: string };
  return { status, says: code, end };
}

/** What origins were asked, without standing fields. */
export function askedOf(asked: readonly AskedRequest[]): Recording {
  return asked.map(({ method, url, headers, body }) => ({
    method,
    url,
    headers: without(
      headers as Answer['headers'],
      // What accepts anything says nothing.
      headers.accept === '*/*' ? ['accept', ...STANDING_OF_REQUESTS] : STANDING_OF_REQUESTS,
    ),
    body,
  }));
}

function without(headers: Answer['headers'], names: readonly string[]): Record<string, Recording> {
  const kept = Object.entries(headers).filter(([name]) => !names.includes(name));
  return Object.fromEntries(kept.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** What a Grip-Sig says if it is signed as agreed; its times only by whether they are an hour ahead. */
export function signatureOf(field: string | readonly string[] | undefined): Recording {
  if (typeof field !== 'string') return field === undefined ? 'none' : 'several';
  const [head, claims, signature] = field.split('.');
  const expected = createHmac('sha256', SIGNATURE.key).update(`${head}.${claims}`).digest('base64url');
  if (signature !== expected) return 'signed with another key';
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString());
  const { exp, ...others } = read(claims);
  const ahead = typeof exp === 'number' ? exp - Date.now() / 1000 : 0;
  return {
    ...(read(head) as Record<string, string>),
    ...(others as Record<string, string>),
    hourAhead: ahead > 3300 && ahead <= 3601,
  };
}
