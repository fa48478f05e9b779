import type { Receipt } from './receipt.ts';
import { type ServerAddress, sendSuccessfully } from './requests.ts';

/** What became of one entry: where it was stored, or why it was refused. */
export type Outcome =
  | Receipt
  | { readonly error: { readonly code: string; readonly title: string; readonly detail: string } };

/**
 * Publishes entries, each a JSON object on one line, and tells what became of each, in order.
 * @throws TidegateError server_unreachable, or what the server says of the request as a whole
 */
export async function publishEntries(
  server: ServerAddress,
  entries: readonly string[],
): Promise<readonly Outcome[]> {
  const headers = { 'content-type': 'application/x-ndjson' };
  const body = `${entries.join('\n')}\n`;
  const response = await sendSuccessfully(server, '/v1/publish', { method: 'POST', headers, body });
  const answers = (await response.text()).split('\n').filter((line) => line !== '');
  return answers.map((line) => JSON.parse(line) as Outcome);
}
