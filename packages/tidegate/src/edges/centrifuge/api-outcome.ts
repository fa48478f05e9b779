import type { ProtocolError } from './status.ts';

/** The JSON text of a result, or why there is none. */
export type ApiOutcome = string | ProtocolError;

/** The text of an error, as an object. */
export function errorText({ code, message }: ProtocolError): string {
  return JSON.stringify({ code, message });
}

/** The members of a reply that say what came of a call. */
export function outcomeText(outcome: ApiOutcome): string {
  return typeof outcome === 'string' ? `"result":${outcome}` : `"error":${errorText(outcome)}`;
}
