import { Buffer } from 'node:buffer';

/**
 * Fetches the text at a URL, without following redirects: an issuer's keys are where the config file says, and nowhere else. Rejects if
 * there is none within the time, if the answer is not 200, or if it is larger than the bytes.
 */
export async function fetchText(url: string, timeoutMs: number, bytesMax: number): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: 'application/json' },
  });
  if (response.status !== 200) throw new Error(`The answer was ${response.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > bytesMax) throw new Error(`The answer is larger than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
