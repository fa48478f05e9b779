import type { AdminResponse } from '../listeners/index.ts';

/** An answer that is never cached: it tells how things stand now. */
export function jsonResponse(status: number, value: unknown): AdminResponse {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { status, headers, body: `${JSON.stringify(value)}\n` };
}
