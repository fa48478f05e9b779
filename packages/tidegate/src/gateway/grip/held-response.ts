import type { Buffer } from 'node:buffer';
import type { Limits } from '../../kernel/index.ts';
import type { ResponseHeaders } from '../../listeners/port.ts';
import { type GripInstruct, isGripField, isInstructMediaType, patchBody } from '../../wire/grip/index.ts';
import { applyPatch } from '../../wire/json-patch/index.ts';
import type { OriginHead } from '../origin/exchange.ts';
import type { PublishedAnswer } from './hold-frames.ts';

/** A response without its body. */
export interface HeldHead {
  readonly status: number;
  /** Empty for the usual one of the status. */
  readonly reason: string;
  /** Names and values in turn, without those for the gateway and those of framing. */
  readonly fields: readonly string[];
}

/** What a client gets if nothing is published. */
export interface HeldResponse extends HeldHead {
  readonly body: Uint8Array;
}

/** What whoever frames the message writes. */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  // When the origin answered is not when the client is.
  'date',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The head of a response that an instruction came with, as the client gets it.
 * @param responseFields what the route lets through
 */
export function heldHead(
  head: OriginHead,
  instruct: GripInstruct,
  responseFields: (fields: readonly string[]) => readonly string[],
): HeldHead {
  const { response, status, exposeHeaders } = instruct;
  const base =
    response === null
      ? { status: head.status, reason: head.reason, fields: head.fields }
      : {
          status: response.status.code,
          reason: response.status.reason ?? '',
          fields: response.headers.flat(),
        };
  const fields = exposed(responseFields(relayable(base.fields)), exposeHeaders);
  if (status === null || response !== null) return { ...base, fields };
  return { status: status.code, reason: status.reason ?? '', fields };
}

/** Fields that may stand in the response to a client. */
function relayable(fields: readonly string[]): readonly string[] {
  return filtered(
    fields,
    (name, value) =>
      !isGripField(name) && !FRAMING.has(name) && !(name === 'content-type' && isInstructMediaType(value)),
  );
}

function exposed(fields: readonly string[], names: readonly string[]): readonly string[] {
  return names.length === 0 ? fields : filtered(fields, (name) => names.includes(name));
}

function filtered(
  fields: readonly string[],
  keep: (nameInLowerCase: string, value: string) => boolean,
): readonly string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (keep(fields[at].toLowerCase(), fields[at + 1])) kept.push(fields[at], fields[at + 1]);
  }
  return kept;
}

/**
 * The response with what was published in place of what is held: fields by their names, the others are inherited.
 * @throws TidegateError grip_item_invalid, json_patch_invalid: a patch does not fit the held body
 */
export function publishedResponse(held: HeldResponse, answer: PublishedAnswer, limits: Limits): HeldResponse {
  const published = relayable(answer.fields);
  const names = new Set<string>();
  for (let at = 0; at < published.length; at += 2) names.add(published[at].toLowerCase());
  const inherited = filtered(held.fields, (name) => !names.has(name));
  const { body } = answer;
  return {
    status: answer.code ?? held.status,
    reason: answer.code === null ? held.reason : answer.reason,
    fields: exposed([...inherited, ...published], answer.exposed),
    body: body.kind === 'whole' ? body.bytes : patched(held.body, body.json, limits),
  };
}

function patched(body: Uint8Array, json: Buffer, limits: Limits): Buffer {
  const operations = JSON.parse(json.toString('utf8')) as readonly unknown[];
  return patchBody(body, operations, (document, patch) => applyPatch(document, patch, limits));
}

/** Values that the head of a stream may have. */
const STREAM_VALUE = /^[\t\x20-\x7e]*$/;

/** Fields as the head of a stream takes them, which has room for ASCII only. */
export function streamHeaders(fields: readonly string[]): ResponseHeaders {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at].toLowerCase();
    const value = fields[at + 1];
    if (!STREAM_VALUE.test(value)) continue;
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : [earlier, value].flat();
  }
  return headers;
}

/** The value of the first field of this name, given in lower case. */
export function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at].length === name.length && fields[at].toLowerCase() === name) return fields[at + 1];
  }
  return undefined;
}
