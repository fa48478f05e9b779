import { scriptCharacters, scriptLiteral } from './script.ts';

/** The head of a response as a script gets it. */
export interface EnvelopeHead {
  readonly code: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
}

/*
 * envelope = '{"code": ' status ', "reason": ' string ', "headers": ' object ', "body": "' *character '"}'
 */

/** What stands before the body. */
export function envelopeBegin({ code, reason, headers }: EnvelopeHead): string {
  return `{"code": ${code}, "reason": ${scriptLiteral(reason)}, "headers": ${scriptLiteral(headers)}, "body": "`;
}

/** A part of the body. Parts may be cut between any two characters. */
export const envelopePart = scriptCharacters;

export const ENVELOPE_END = '"}';
