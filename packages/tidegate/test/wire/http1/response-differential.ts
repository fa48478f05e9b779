import assert from 'node:assert/strict';
import type { Buffer } from 'node:buffer';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { resolveLimits, seededRandom } from '../../../src/kernel/index.ts';
import { cut, mutant, RESPONSE_SEEDS } from './mutations.ts';
import { readResponse } from './read-response.ts';

/** A connection without a network: input is pushed into it, output is dropped. */
class Connection extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: BufferEncoding, written: () => void): void {
    written();
  }
  setNoDelay(): void {}
  setKeepAlive(): void {}
  setTimeout(): void {}
  ref(): void {}
  unref(): void {}
}

const FRAMING: readonly string[] = ['content-length', 'transfer-encoding', 'connection', 'upgrade'];

interface NodeReading {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** What Node's own client makes of bytes that answer a GET: a complete response, or why there is none. */
function readWithNode(bytes: Buffer): Promise<NodeReading | string> {
  return new Promise((resolve) => {
    const connection = new Connection();
    const asked = request({ createConnection: () => connection as unknown as Socket });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.on('upgrade', () => resolve('upgrade'));
    asked.on('response', (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (slice: string) => {
        body += slice;
      });
      response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      response.on('end', () => {
        const headers: (readonly [string, string])[] = [];
        const raw = response.rawHeaders;
        for (let at = 0; at < raw.length; at += 2) headers.push([raw[at].toLowerCase(), raw[at + 1]]);
        resolve({ status: response.statusCode ?? 0, headers, body });
      });
      response.on('close', () => resolve('closed'));
    });
    asked.on('close', () => resolve('closed'));
    asked.end();
    setImmediate(() => {
      connection.push(bytes);
      connection.push(null);
    });
  });
}

/**
 * Breeds mutants from a seed and checks that whatever our parser takes for a complete response, Node's reads the same way: status, fields
 * and body. Node may accept more. Returns how many were compared.
 */
export async function compareResponsesWithNode(seed: number, mutants: number): Promise<number> {
  const limits = resolveLimits();
  let compared = 0;
  for (let index = 0; index < mutants; index++) {
    const random = seededRandom(seed + index);
    const bytes = mutant(random, RESPONSE_SEEDS);
    const { response, bytes: length } = readResponse(cut(bytes, random), limits);
    // Node refuses what frames a body if it comes behind it; the gateway has no use for such a field and drops it.
    if (response === null || response.trailers.some(([name]) => FRAMING.includes(name))) continue;
    const { status, headers, body } = response;
    // Node ends the connection for what an interim response says of it (RFC 9110, section 15.2 gives it no such meaning).
    if (response.interims.length > 0 && /connection|upgrade/i.test(bytes.toString('latin1'))) continue;
    // What comes behind the response is nobody's, and makes Node give up the connection.
    const theirs = await readWithNode(bytes.subarray(0, length));
    assert.deepEqual(
      theirs,
      { status, headers, body },
      `seed ${seed + index}: ${JSON.stringify(bytes.toString('latin1'))}`,
    );
    compared++;
  }
  return compared;
}
