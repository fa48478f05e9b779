import { type Fields, fieldsOf, flagOf, integerOf, isAbsent, positionOf, textOf } from './json-fields.ts';
import { jsonPayload } from './payload.ts';
import {
  type Command,
  deltaWish,
  MalformedCommand,
  type Request,
  type SubscribeWish,
  unrecoveredWish,
} from './protocol.ts';

/**
 * The command that a parsed line says: `{"id", "<method>": {…}}`, or `{}` for a pong.
 * @throws MalformedCommand
 */
export function readJsonCommand(line: unknown): Command {
  const command = fieldsOf(line, 'a command');
  const id = integerOf(command.id, 'id');
  if (id < 0 || id > 0xffff_ffff) throw new MalformedCommand('id is not a uint32');
  for (const method of METHODS) {
    const params = command[method];
    // As in protobuf's JSON, null is the same as absent.
    if (params === undefined || params === null) continue;
    return { id, ...READERS[method](fieldsOf(params, method)) };
  }
  if (id === 0) return { id, method: 'pong' };
  throw new MalformedCommand('no method');
}

const READERS: Readonly<Record<Exclude<Request['method'], 'pong'>, (fields: Fields) => Request>> = {
  connect: (fields) => ({
    method: 'connect',
    token: textOf(fields.token, 'token'),
    subs: subsOf(fields.subs),
  }),
  subscribe: (fields) => ({ method: 'subscribe', channel: channelOf(fields), wish: wishOf(fields) }),
  unsubscribe: (fields) => ({ method: 'unsubscribe', channel: channelOf(fields) }),
  publish: (fields) => ({ method: 'publish', channel: channelOf(fields), data: dataOf(fields) }),
  presence: (fields) => ({ method: 'presence', channel: channelOf(fields) }),
  presence_stats: (fields) => ({ method: 'presence_stats', channel: channelOf(fields) }),
  history: (fields) => ({
    method: 'history',
    channel: channelOf(fields),
    limit: integerOf(fields.limit, 'limit'),
    since: isAbsent(fields.since) ? null : positionOf(fieldsOf(fields.since, 'since')),
    order: flagOf(fields.reverse, 'reverse') ? 'reverse' : 'forward',
  }),
  ping: () => ({ method: 'ping' }),
  send: () => ({ method: 'send' }),
  rpc: (fields) => ({ method: 'rpc', name: textOf(fields.method, 'method'), data: dataOf(fields) }),
  refresh: (fields) => ({ method: 'refresh', token: textOf(fields.token, 'token') }),
  sub_refresh: (fields) => ({
    method: 'sub_refresh',
    channel: channelOf(fields),
    token: textOf(fields.token, 'token'),
  }),
};

const METHODS = Object.keys(READERS) as (keyof typeof READERS)[];

const NO_SUBS: ReadonlyMap<string, SubscribeWish> = new Map();

function subsOf(value: unknown): ReadonlyMap<string, SubscribeWish> {
  if (isAbsent(value)) return NO_SUBS;
  return new Map(
    Object.entries(fieldsOf(value, 'subs')).map(([channel, sub]) => [channel, wishOf(fieldsOf(sub, 'subs'))]),
  );
}

function wishOf(fields: Fields): SubscribeWish {
  return {
    recover: flagOf(fields.recover, 'recover') ? positionOf(fields) : null,
    token: textOf(fields.token, 'token'),
    joinLeave: flagOf(fields.join_leave, 'join_leave'),
    delta: deltaWish(textOf(fields.delta, 'delta')),
    unrecovered: unrecoveredWish(integerOf(fields.flag, 'flag')),
    extras: isAbsent(fields.tf) && integerOf(fields.type, 'type') === 0 ? 'none' : 'unknown',
  };
}

function channelOf(fields: Fields): string {
  return textOf(fields.channel, 'channel');
}

function dataOf(fields: Fields): ReturnType<typeof jsonPayload> | null {
  return fields.data === undefined ? null : jsonPayload(fields.data);
}
