import type { Receipt } from './receipt.ts';
import { type ServerAddress, sendSuccessfully } from './requests.ts';

/** What became of one entry: where it was stored, or why it was refused. */
export type Outcome =
  | Receipt
  | { readonly error: { readonly code: string; readonly title: string; readonly detail: string } };

const LINES = { 'content-type': 'application/x-ndjson' };
const BATCH = { 'content-type': 'application/json' };

/**
 * Publishes one entry, after what is to be purged.
 * @throws TidegateError as `publishEntries`
 */
export async function publishEntry(
  server: ServerAddress,
  entry: string,
  purge: string | undefined,
): Promise<Outcome> {
  // A stream cannot purge, and a batch takes no entry as large as a stream does.
  if (purge === undefined) return (await publishEntries(server, [entry]))[0];
  const headers = { ...BATCH, 'tidegate-purge': purge };
  const response = await sendSuccessfully(server, '/v1/publish', { method: 'POST', headers, body: entry });
  return ((await response.json()) as { readonly results: readonly Outcome[] }).results[0];
}

/**
 * Publishes entries, each a JSON object on one line, and tells what became of each, in order.
 * @throws TidegateError server_unreachable, or what the server says of the request as a whole
 */
export async function publishEntries(
  server: ServerAddress,
  entries: readonly string[],
): Promise<readonly Outcome[]> {
  const body = `${entries.join('\n')}\n`;
  const response = await sendSuccessfully(server, '/v1/publish', { method: 'POST', headers: LINES, body });
  const answers = (await response.text()).split('\n').filter((line) => line !== '');
  return answers.map((line) => JSON.parse(line) as Outcome);
}
