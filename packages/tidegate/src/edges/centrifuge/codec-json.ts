import { type Buffer, isUtf8 } from 'node:buffer';
import { type StreamPosition, writeJsonString, writeJsonStringOfUtf8 } from '../../channels/index.ts';
import type { ByteWriter } from '../../kernel/index.ts';
import type { Codec } from './codec.ts';
import { readJsonCommand } from './json-command.ts';
import { parseExactly } from './json-number.ts';
import { writeData, writeMessageData, writePublication, writeRest } from './json-publication.ts';
import {
  type ClientInfo,
  type Command,
  MalformedCommand,
  type Payload,
  type Push,
  type Result,
  type SubscribeResult,
} from './protocol.ts';

const COMMA = 0x2c;
const CLOSE = 0x7d;

/** JSON: a frame is a line, or several; a reply is an object on one line. */
export const jsonCodec: Codec = {
  name: 'json',
  decode,
  reply(id, result, out) {
    out.ascii(`{"id":${id},"`);
    if (result.method === 'error') {
      out.ascii(`error":{"code":${result.code},"message":`);
      writeJsonString(result.message, out);
      out.ascii(result.retry === 'temporary' ? ',"temporary":true}}' : '}}');
      return;
    }
    out.ascii(result.method);
    out.ascii('":{');
    writeJsonResult(result, out);
    out.ascii('}}');
  },
  push(push, out) {
    out.ascii('{"push":{');
    writePush(push, out);
    out.ascii('}}');
  },
  publicationPush(message, form, out) {
    out.ascii('{"push":{"channel":');
    writeJsonString(form.channel, out);
    out.ascii(',"pub":');
    writePublication(message, form, out);
    out.ascii('}}');
  },
  publication: writePublication,
  deltaBase: writeMessageData,
  deltaRest: writeRest,
  deltaPush(channel, data, kind, rest, out) {
    out.ascii('{"push":{"channel":');
    writeJsonString(channel, out);
    out.ascii(kind === 'delta' ? ',"pub":{"delta":true,"data":' : ',"pub":{"data":');
    writeJsonStringOfUtf8(data, 0, data.length, out);
    out.bytes(rest);
    out.ascii('}}');
  },
};

function decode(bytes: Buffer): Command[] {
  if (!isUtf8(bytes)) throw new MalformedCommand('not UTF-8');
  const commands: Command[] = [];
  for (const line of bytes.toString('utf8').split('\n')) {
    if (line.trim() !== '') commands.push(readJsonCommand(parse(line)));
  }
  return commands;
}

function parse(line: string): unknown {
  try {
    return parseExactly(line);
  } catch {
    throw new MalformedCommand('not JSON');
  }
}

/** Appends the members of a result. */
export function writeJsonResult(
  result: Exclude<Result, { readonly method: 'error' }>,
  out: ByteWriter,
): void {
  switch (result.method) {
    case 'connect': {
      out.ascii('"client":');
      writeJsonString(result.client, out);
      out.ascii(',"version":');
      writeJsonString(result.version, out);
      writeExpiry(result.ttlSeconds, out);
      if (result.pingSeconds > 0) out.ascii(`,"ping":${result.pingSeconds},"pong":true`);
      if (result.session !== '') {
        out.ascii(`,"session":"${result.session}","node":"${result.node}"`);
      }
      if (result.subs.size > 0) writeSubs(result.subs, out);
      break;
    }
    case 'subscribe':
      writeSubscribeResult(result, out);
      break;
    case 'presence': {
      out.ascii('"presence":{');
      let first = true;
      for (const info of result.members) {
        if (!first) out.byte(COMMA);
        first = false;
        writeJsonString(info.client, out);
        out.byte(0x3a);
        writeInfo(info, out);
      }
      out.byte(CLOSE);
      break;
    }
    case 'presence_stats':
      out.ascii(`"num_clients":${result.clients},"num_users":${result.users}`);
      break;
    case 'history':
      writePublications(result.publications, out);
      out.ascii(`,"epoch":"${result.position.epoch}","offset":${result.position.offset}`);
      break;
    case 'rpc':
      out.ascii('"data":');
      writePayload(result.data, out);
      break;
    case 'refresh':
      out.ascii('"client":');
      writeJsonString(result.client, out);
      out.ascii(',"version":');
      writeJsonString(result.version, out);
      writeExpiry(result.ttlSeconds, out);
      break;
    case 'sub_refresh':
      if (result.ttlSeconds > 0) out.ascii(`"expires":true,"ttl":${result.ttlSeconds}`);
      break;
    case 'unsubscribe':
    case 'publish':
      break;
  }
}

function writeSubs(subs: ReadonlyMap<string, SubscribeResult>, out: ByteWriter): void {
  out.ascii(',"subs":{');
  let first = true;
  for (const [channel, sub] of subs) {
    if (!first) out.byte(COMMA);
    first = false;
    writeJsonString(channel, out);
    out.ascii(':{');
    writeSubscribeResult(sub, out);
    out.byte(CLOSE);
  }
  out.byte(CLOSE);
}

function writeExpiry(ttlSeconds: number, out: ByteWriter): void {
  if (ttlSeconds > 0) out.ascii(`,"expires":true,"ttl":${ttlSeconds}`);
}

/** As in protobuf, what has its default is left out. */
function writeSubscribeResult(result: SubscribeResult, out: ByteWriter): void {
  const start = out.length;
  if (result.ttlSeconds > 0) out.ascii(`"expires":true,"ttl":${result.ttlSeconds}`);
  if (result.position !== null) writePosition(result.position, start, out);
  if (result.recovered) writeTrue('recovered', start, out);
  if (result.wasRecovering) writeTrue('was_recovering', start, out);
  if (result.delta !== 'none') writeTrue('delta', start, out);
  writeOptionalData(result.data, start, out);
  if (result.publications.length > 0) {
    separate(start, out);
    writePublications(result.publications, out);
  }
}

/** Appends the members that say where a subscription stands, to an object whose members begin at `start`. */
function writePosition({ epoch, offset }: StreamPosition, start: number, out: ByteWriter): void {
  separate(start, out);
  out.ascii(`"recoverable":true,"positioned":true,"epoch":"${epoch}"`);
  if (offset > 0) out.ascii(`,"offset":${offset}`);
}

function writeTrue(name: string, start: number, out: ByteWriter): void {
  separate(start, out);
  out.ascii(`"${name}":true`);
}

function separate(start: number, out: ByteWriter): void {
  if (out.length > start) out.byte(COMMA);
}

function writePublications(publications: readonly Uint8Array[], out: ByteWriter): void {
  out.ascii('"publications":[');
  for (let i = 0; i < publications.length; i++) {
    if (i > 0) out.byte(COMMA);
    out.bytes(publications[i]);
  }
  out.byte(0x5d);
}

function writePush(push: Push, out: ByteWriter): void {
  if (push.kind === 'disconnect') {
    out.ascii(`"disconnect":{"code":${push.code},"reason":`);
    writeJsonString(push.reason, out);
    out.byte(CLOSE);
    return;
  }
  if (push.kind === 'refresh') {
    out.ascii(push.ttlSeconds > 0 ? `"refresh":{"expires":true,"ttl":${push.ttlSeconds}}` : '"refresh":{}');
    return;
  }
  out.ascii('"channel":');
  writeJsonString(push.channel, out);
  out.ascii(`,"${push.kind}":{`);
  switch (push.kind) {
    case 'join':
    case 'leave':
      out.ascii('"info":');
      writeInfo(push.info, out);
      break;
    case 'unsubscribe':
      out.ascii(`"code":${push.code},"reason":`);
      writeJsonString(push.reason, out);
      break;
    case 'subscribe':
      writeSubscribePush(push.position, push.data, out);
      break;
  }
  out.byte(CLOSE);
}

function writeSubscribePush(position: StreamPosition | null, data: Payload | null, out: ByteWriter): void {
  const start = out.length;
  if (position !== null) writePosition(position, start, out);
  writeOptionalData(data, start, out);
}

/** Appends data as a member, if there is any. */
function writeOptionalData(data: Payload | null, start: number, out: ByteWriter): void {
  if (data === null) return;
  separate(start, out);
  out.ascii('"data":');
  writePayload(data, out);
}

function writeInfo(info: ClientInfo, out: ByteWriter): void {
  out.ascii('{"user":');
  writeJsonString(info.user, out);
  out.ascii(',"client":');
  writeJsonString(info.client, out);
  if (info.connInfo !== null) {
    out.ascii(',"conn_info":');
    writePayload(info.connInfo, out);
  }
  if (info.chanInfo !== null) {
    out.ascii(',"chan_info":');
    writePayload(info.chanInfo, out);
  }
  out.byte(CLOSE);
}

function writePayload(payload: Payload | null, out: ByteWriter): void {
  if (payload === null) out.ascii('null');
  else writeData(payload.kind, payload.bytes, 0, payload.bytes.length, out);
}
