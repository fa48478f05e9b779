import type { PublishReceipt } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';

/** Whether a text can stand in a JSON string as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** `{"channel","id","cursor","duplicate"}`: where an event was stored. */
export function receiptJson(receipt: PublishReceipt): string {
  return `{"channel":${quote(receipt.channel)},"id":${quote(receipt.id)},"cursor":"${receipt.cursor}","duplicate":${receipt.duplicate}}`;
}

/** `{"error":{"code","title","detail","retryable"}}`: why an event of several was not stored; with `retryAfterMs` where that is known. */
export function errorJson(error: TidegateError): string {
  const { title, retryable } = error.entry;
  const { code, detail, retryAfterMs } = error;
  const later = retryAfterMs === null ? {} : { retryAfterMs };
  return JSON.stringify({ error: { code, title, detail, retryable, ...later } });
}

/** What became of one event of several. */
export function outcomeJson(outcome: PublishReceipt | TidegateError): string {
  return outcome instanceof TidegateError ? errorJson(outcome) : receiptJson(outcome);
}
