import assert from 'node:assert/strict';
import type { Buffer } from 'node:buffer';
import { createServer, type IncomingMessage, METHODS, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { seededRandom } from '../../../src/kernel/index.ts';
import { cut, mutant } from './mutations.ts';
import { type ReadRequest, readRequests } from './read-requests.ts';

/** What Node's own server makes of bytes. */
interface NodeReading {
  readonly requests: ReadRequest[];
  error: string | null;
}

/** A connection without a network: input is pushed into it, output is dropped. */
class Connection extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: BufferEncoding, written: () => void): void {
    written();
  }
}

/** Reads the bytes, which arrive at once, with node:http. */
export function readWithNode(bytes: Buffer): Promise<NodeReading> {
  return new Promise((resolve) => {
    const reading: NodeReading = { requests: [], error: null };
    const read = (request: IncomingMessage, response: ServerResponse): void => {
      let body = '';
      const at = reading.requests.length;
      const entry = (complete: boolean): ReadRequest => ({
        method: request.method ?? '',
        target: request.url ?? '',
        minorVersion: request.httpVersionMinor,
        headers: pairs(request.rawHeaders),
        body: complete ? body : null,
      });
      reading.requests.push(entry(false));
      request.setEncoding('latin1');
      request.on('data', (slice: string) => {
        body += slice;
      });
      request.on('end', () => {
        reading.requests[at] = entry(true);
        response.end();
      });
      request.on('error', () => {});
    };
    const server = createServer({ connectionsCheckingInterval: 1_000_000_000, keepAliveTimeout: 0 }, read);
    server.on('checkContinue', read);
    server.on('checkExpectation', read);
    const connection = new Connection();
    server.on('clientError', (error: NodeJS.ErrnoException) => {
      reading.error ??= error.code ?? error.message;
      // The streams of the requests before the fault deliver what they hold first.
      setImmediate(() => connection.destroy());
    });
    connection.on('close', () => {
      server.close();
      resolve(reading);
    });
    server.emit('connection', connection);
    connection.push(bytes);
    connection.push(null);
  });
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [];
  for (let at = 0; at < raw.length; at += 2) fields.push([raw[at].toLowerCase(), raw[at + 1]]);
  return fields;
}

/** A target in absolute form as our parser reduces it. */
function originForm(target: string): string {
  const match = /^http:\/\/[^/?]*(.*)$/i.exec(target);
  if (match === null) return target;
  return match[1].startsWith('/') ? match[1] : `/${match[1]}`;
}

function endsReading([name, value]: readonly [string, string]): boolean {
  return name === 'upgrade' || (name === 'connection' && /close/i.test(value));
}

/**
 * Breeds mutants from a seed and checks that whatever our parser accepts, Node's reads the same way: method, target,
 * version, fields, and where each body ends. Node may accept more. Returns how many requests were compared.
 */
export async function compareWithNode(seed: number, mutants: number): Promise<number> {
  let compared = 0;
  for (let index = 0; index < mutants; index++) {
    const random = seededRandom(seed + index);
    const bytes = mutant(random);
    const ours = readRequests(cut(bytes, random)).requests.filter(({ body }) => body !== null);
    if (ours.length === 0) continue;
    const theirs = await readWithNode(bytes);
    const context = `seed ${seed + index}: ${JSON.stringify(bytes.toString('latin1'))}; Node said ${theirs.error}`;
    for (const [at, request] of ours.entries()) {
      // Node knows a list of methods and refuses all others; the requests after such a one it does not read.
      if (!METHODS.includes(request.method)) break;
      const other = theirs.requests[at];
      assert.ok(other !== undefined, `Node did not read request ${at}; ${context}`);
      assert.deepEqual({ ...other, target: originForm(other.target) }, request, context);
      compared++;
      // Node reads nothing after a request that closes the connection or asks for another protocol.
      if (request.minorVersion === 0 || request.headers.some(endsReading)) break;
    }
  }
  return compared;
}
