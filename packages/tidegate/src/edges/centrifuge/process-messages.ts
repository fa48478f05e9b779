import { Buffer } from 'node:buffer';
import { ByteReader, ByteWriter, lineJson, readLineJson } from '../../kernel/index.ts';
import type { ClientAction } from './client-action.ts';
import type { NodeDescription, ProcessConnections } from './processes.ts';

/*
 * What processes say to each other on a line about connections of this protocol. A worker tells the owner, once:
 *
 *   its node, as bare text
 *
 * Each asks the other, beginning with a byte for the kind:
 *
 *   EMULATE  node (text), session (text), commands (the rest): a byte that says whether they were taken
 *   REQUEST  a ProcessRequest in JSON: a list of NodeDescriptions in JSON, once it is done. A worker is answered for all others
 */

export const EMULATE = 1;
export const REQUEST = 2;

export const TAKEN = Buffer.of(1);
export const NOT_TAKEN = Buffer.of(0);

/** What all processes are asked: to act, or without an action to describe themselves. */
export interface ProcessRequest {
  readonly action: ClientAction | null;
}

const out = new ByteWriter(256, 4096);

export function emulateMessage(node: string, session: string, commands: Buffer): Buffer {
  out.byte(EMULATE);
  out.text(node);
  out.text(session);
  out.blob(commands);
  return out.take();
}

/** Reads what follows the kind. */
export function readEmulate(message: Buffer): {
  readonly node: string;
  readonly session: string;
  readonly commands: Buffer;
} {
  const reader = new ByteReader(message);
  reader.byte();
  return { node: reader.text(), session: reader.text(), commands: reader.blob() };
}

export function requestMessage(request: ProcessRequest): Buffer {
  out.byte(REQUEST);
  out.bytes(lineJson(request));
  return out.take();
}

/** Reads what follows the kind. */
export function readRequest(message: Buffer): ProcessRequest {
  return JSON.parse(message.toString('utf8', 1), bytesAgain) as ProcessRequest;
}

/** Options hold payloads, whose buffers JSON.stringify prints as `{"type":"Buffer","data":[…]}`. */
function bytesAgain(_key: string, value: unknown): unknown {
  const { type, data } = (value ?? {}) as { readonly type?: unknown; readonly data?: unknown };
  return type === 'Buffer' && Array.isArray(data) ? Buffer.from(data) : value;
}

export function descriptionsMessage(nodes: readonly NodeDescription[]): Buffer {
  return lineJson(nodes);
}

export function readDescriptions(message: Buffer): readonly NodeDescription[] {
  return readLineJson(message);
}

/** Does what a process is asked to. Calls back once it is done. */
export function answerRequest(
  own: ProcessConnections,
  { action }: ProcessRequest,
  done: (nodes: readonly NodeDescription[]) => void,
): void {
  if (action === null) done([own.describe()]);
  else own.act(action, () => done([]));
}
