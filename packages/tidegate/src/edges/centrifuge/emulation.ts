import { Buffer, isUtf8 } from 'node:buffer';
import { ProtobufReader } from './protobuf-reader.ts';
import { MalformedCommand } from './protocol.ts';

/** Commands of a client whose connection only goes one way, as message `EmulationRequest`. */
export interface EmulationRequest {
  /** Names the connection. Whoever knows it may speak for the client. */
  readonly session: string;
  /** Names the process that the connection is of, as the client was told; empty for the one that is asked. */
  readonly node: string;
  /** The commands, in the encoding of the connection. */
  readonly data: Buffer;
}

/**
 * Reads the body of a request to /emulation.
 * @throws MalformedCommand
 */
export function readEmulationRequest(body: Buffer, encoding: 'json' | 'protobuf'): EmulationRequest {
  return encoding === 'json' ? readJson(body) : readProtobuf(body);
}

function readJson(body: Buffer): EmulationRequest {
  if (!isUtf8(body)) throw new MalformedCommand('not UTF-8');
  let request: { readonly session?: unknown; readonly node?: unknown; readonly data?: unknown } | null;
  try {
    request = JSON.parse(body.toString('utf8'));
  } catch {
    throw new MalformedCommand('not JSON');
  }
  if (typeof request?.session !== 'string' || typeof request.data !== 'string') {
    throw new MalformedCommand('session or data is missing');
  }
  const node = typeof request.node === 'string' ? request.node : '';
  return { session: request.session, node, data: Buffer.from(request.data) };
}

function readProtobuf(body: Buffer): EmulationRequest {
  const reader = new ProtobufReader(body);
  let session = '';
  let node = '';
  let data: Uint8Array = new Uint8Array(0);
  while (!reader.isAtEnd) {
    const field = reader.field();
    if (field === 1) node = reader.text();
    else if (field === 2) session = reader.text();
    else if (field === 3) data = reader.bytes();
    else reader.skip();
  }
  return { session, node, data: Buffer.from(data.buffer, data.byteOffset, data.length) };
}
