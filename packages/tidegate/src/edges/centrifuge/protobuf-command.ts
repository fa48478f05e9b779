import type { StreamPosition } from '../../channels/index.ts';
import { payloadOfBytes } from './payload.ts';
import type { ProtobufReader } from './protobuf-reader.ts';
import {
  type Command,
  deltaWish,
  MalformedCommand,
  type Payload,
  PLAIN_WISH,
  type Request,
  type SubscribeWish,
  unrecoveredWish,
} from './protocol.ts';

/**
 * The command that a message `Command` of client.proto says; an empty one is a pong.
 * @throws MalformedCommand
 */
export function readProtobufCommand(reader: ProtobufReader): Command {
  let id = 0;
  let request: Request | null = null;
  while (!reader.isAtEnd) {
    const field = reader.field();
    const read = REQUESTS.get(field);
    if (field === 1) id = reader.number();
    else if (read === undefined) reader.skip();
    else request = read(reader.message());
  }
  if (request !== null) return { id, ...request };
  if (id === 0) return { id, method: 'pong' };
  throw new MalformedCommand('no method');
}

/** By the field that holds the request, as in message `Command`. */
const REQUESTS: ReadonlyMap<number, (reader: ProtobufReader) => Request> = new Map([
  [4, readConnect],
  [5, readSubscribe],
  [6, (reader) => ({ method: 'unsubscribe', channel: readChannel(reader) })],
  [7, readPublish],
  [8, (reader) => ({ method: 'presence', channel: readChannel(reader) })],
  [9, (reader) => ({ method: 'presence_stats', channel: readChannel(reader) })],
  [10, readHistory],
  [11, () => ({ method: 'ping' })],
  [12, () => ({ method: 'send' })],
  [13, readRpc],
  [14, (reader) => ({ method: 'refresh', token: readFirstText(reader) })],
  [15, readSubRefresh],
] as [number, (reader: ProtobufReader) => Request][]);

/** Reads the fields of a message, those that `take` does not know left out. `take` returns whether it has read the value. */
function forEachField(reader: ProtobufReader, take: (field: number) => boolean): void {
  while (!reader.isAtEnd) if (!take(reader.field())) reader.skip();
}

/** Field 1 of messages that have a text there: a channel or a token. */
function readFirstText(reader: ProtobufReader): string {
  let text = '';
  forEachField(reader, (field) => {
    if (field !== 1) return false;
    text = reader.text();
    return true;
  });
  return text;
}

const readChannel = readFirstText;

function readConnect(reader: ProtobufReader): Request {
  let token = '';
  const subs = new Map<string, SubscribeWish>();
  forEachField(reader, (field) => {
    if (field === 1) token = reader.text();
    else if (field === 3) {
      const [channel, wish] = readSubsEntry(reader.message());
      subs.set(channel, wish);
    } else return false;
    return true;
  });
  return { method: 'connect', token, subs };
}

/** An entry of `map<string, SubscribeRequest>`. */
function readSubsEntry(reader: ProtobufReader): readonly [channel: string, wish: SubscribeWish] {
  let channel = '';
  let wish = PLAIN_WISH;
  forEachField(reader, (field) => {
    if (field === 1) channel = reader.text();
    else if (field === 2) wish = readWish(reader.message()).wish;
    else return false;
    return true;
  });
  return [channel, wish];
}

function readSubscribe(reader: ProtobufReader): Request {
  return { method: 'subscribe', ...readWish(reader) };
}

const FILTER_FIELD = 13;

/** Message `SubscribeRequest`. */
function readWish(reader: ProtobufReader): { readonly channel: string; readonly wish: SubscribeWish } {
  let [channel, token, epoch, delta] = ['', '', '', ''];
  let [recover, joinLeave, hasFilter] = [false, false, false];
  let [offset, flag, type] = [0, 0, 0];
  forEachField(reader, (field) => {
    if (field === 1) channel = reader.text();
    else if (field === 2) token = reader.text();
    else if (field === 3) recover = reader.flag();
    else if (field === 6) epoch = reader.text();
    else if (field === 7) offset = reader.number();
    else if (field === 11) joinLeave = reader.flag();
    else if (field === 12) delta = reader.text();
    else if (field === 14) flag = reader.int32();
    else if (field === 15) type = reader.int32();
    else {
      if (field === FILTER_FIELD) hasFilter = true;
      return false;
    }
    return true;
  });
  const extras = hasFilter || type !== 0 ? 'unknown' : 'none';
  const unrecovered = unrecoveredWish(flag);
  return {
    channel,
    wish: {
      recover: recover ? { epoch, offset } : null,
      token,
      joinLeave,
      delta: deltaWish(delta),
      unrecovered,
      extras,
    },
  };
}

function readPublish(reader: ProtobufReader): Request {
  let channel = '';
  let data: Payload | null = null;
  forEachField(reader, (field) => {
    if (field === 1) channel = reader.text();
    else if (field === 2) data = payloadOfBytes(reader.bytes());
    else return false;
    return true;
  });
  return { method: 'publish', channel, data };
}

function readHistory(reader: ProtobufReader): Request {
  let channel = '';
  let limit = 0;
  let since: StreamPosition | null = null;
  let order: 'forward' | 'reverse' = 'forward';
  forEachField(reader, (field) => {
    if (field === 1) channel = reader.text();
    else if (field === 7) limit = reader.int32();
    else if (field === 8) since = readPosition(reader.message());
    else if (field === 9) order = reader.flag() ? 'reverse' : 'forward';
    else return false;
    return true;
  });
  return { method: 'history', channel, limit, since, order };
}

/** Message `StreamPosition`. */
function readPosition(reader: ProtobufReader): StreamPosition {
  let offset = 0;
  let epoch = '';
  forEachField(reader, (field) => {
    if (field === 1) offset = reader.number();
    else if (field === 2) epoch = reader.text();
    else return false;
    return true;
  });
  return { epoch, offset };
}

function readRpc(reader: ProtobufReader): Request {
  let name = '';
  let data: Payload | null = null;
  forEachField(reader, (field) => {
    if (field === 1) data = payloadOfBytes(reader.bytes());
    else if (field === 2) name = reader.text();
    else return false;
    return true;
  });
  return { method: 'rpc', name, data };
}

function readSubRefresh(reader: ProtobufReader): Request {
  let channel = '';
  let token = '';
  forEachField(reader, (field) => {
    if (field === 1) channel = reader.text();
    else if (field === 2) token = reader.text();
    else return false;
    return true;
  });
  return { method: 'sub_refresh', channel, token };
}
