import { Buffer } from 'node:buffer';
import type { Identity, Permission } from '../../access/port.ts';
import {
  type Channels,
  type FrameEncoder,
  type PresenceRegistry,
  singlePosition,
} from '../../channels/index.ts';
import { ByteWriter, type Limits, TidegateError } from '../../kernel/index.ts';
import type { ClientRegistry } from './clients.ts';
import { TAGS_ATTRIBUTE } from './codec.ts';
import { writeJsonResult } from './codec-json.ts';
import { readHistory } from './history.ts';
import { type Fields, fieldsOf, flagOf, integerOf, isAbsent, positionOf, textOf } from './json-fields.ts';
import { jsonPayload, payloadOfBytes } from './payload.ts';
import { type ClientInfo, MalformedCommand, type Payload, type Result } from './protocol.ts';
import { eventWith } from './publishing.ts';
import { DISCONNECT, ERROR, type ProtocolError, protocolErrorOf } from './status.ts';

/** What the API works on. */
export interface ApiContext {
  readonly channels: Channels;
  readonly presence: PresenceRegistry<ClientInfo>;
  readonly clients: ClientRegistry;
  readonly limits: Limits;
  /** Reads messages in JSON. */
  readonly encoder: FrameEncoder;
  readonly node: string;
  readonly version: string;
}

/** The JSON text of a result, or why there is none. */
export type ApiOutcome = string | ProtocolError;

type Method = (call: ApiCall, done: (outcome: ApiOutcome) => void) => void;

/** One call, with who asks. */
interface ApiCall {
  readonly context: ApiContext;
  readonly identity: Identity;
  readonly fields: Fields;
}

const NOTHING = '{}';

/** Calls a method of Centrifugo's server API. Calls back once, now or later. */
export function callApi(
  context: ApiContext,
  identity: Identity,
  name: string,
  params: unknown,
  done: (outcome: ApiOutcome) => void,
): void {
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  if (method === undefined) {
    done(ERROR.methodNotFound);
    return;
  }
  try {
    method({ context, identity, fields: fieldsOf(params ?? {}, name) }, done);
  } catch (error) {
    done(error instanceof MalformedCommand ? ERROR.badRequest : protocolErrorOf(error));
  }
}

const METHODS: Readonly<Record<string, Method>> = {
  publish(call, done) {
    publish(call, [channelOf(call)], ([outcome]) => done(outcome));
  },
  broadcast(call, done) {
    const { channels } = call.fields;
    if (!Array.isArray(channels) || channels.length === 0) throw new MalformedCommand('no channels');
    const names = channels.map((channel) => textOf(channel, 'channel'));
    const { batchEventsMax, batchBytesMax } = call.context.limits;
    // The data is stored once for each channel, so that a small request could ask for a very large one.
    if (names.length > batchEventsMax || names.length * dataOf(call.fields).bytes.length > batchBytesMax) {
      done(ERROR.limitExceeded);
      return;
    }
    publish(call, names, (outcomes) => {
      const responses = outcomes.map((outcome) =>
        typeof outcome === 'string' ? `{"result":${outcome}}` : `{"error":${errorText(outcome)}}`,
      );
      done(`{"responses":[${responses.join(',')}]}`);
    });
  },
  subscribe(call, done) {
    const channel = channelOf(call);
    forClients(call, done, (client) => client.subscribeByServer(channel));
  },
  unsubscribe(call, done) {
    const channel = channelOf(call);
    forClients(call, done, (client) => client.unsubscribeByServer(channel));
  },
  disconnect(call, done) {
    const wish = isAbsent(call.fields.disconnect) ? null : fieldsOf(call.fields.disconnect, 'disconnect');
    const code = wish === null ? 0 : integerOf(wish.code, 'code');
    if (code !== 0 && (code < 3000 || code > 4999)) throw new MalformedCommand('code');
    const reason =
      code === 0 ? DISCONNECT.forceNoReconnect : { code, reason: textOf(wish?.reason, 'reason') };
    forClients(call, done, (client) => client.disconnect(reason));
  },
  refresh(call, done) {
    // How long a connection is good for is the token's to say.
    if (!flagOf(call.fields.expired, 'expired')) done(ERROR.notAvailable);
    else forClients(call, done, (client) => client.disconnect(DISCONNECT.expired));
  },
  presence(call, done) {
    const channel = channelOf(call);
    if (denies(call, 'presence', channel, done)) return;
    const { presence, limits } = call.context;
    if (presence.stats(channel).clients > limits.centrifugePresenceMembersMax) done(ERROR.limitExceeded);
    else done(textOfResult({ method: 'presence', members: presence.members(channel) }));
  },
  presence_stats(call, done) {
    const channel = channelOf(call);
    if (denies(call, 'presence', channel, done)) return;
    done(textOfResult({ method: 'presence_stats', ...call.context.presence.stats(channel) }));
  },
  history(call, done) {
    const channel = channelOf(call);
    if (denies(call, 'history', channel, done)) return;
    const { limit, since, reverse } = call.fields;
    const wish = {
      channel,
      limit: integerOf(limit, 'limit'),
      since: isAbsent(since) ? null : positionOf(fieldsOf(since, 'since')),
      order: flagOf(reverse, 'reverse') ? 'reverse' : 'forward',
    } as const;
    readHistory(call.context, wish, (result) =>
      done(result.method === 'error' ? result : textOfResult(result)),
    );
  },
  history_remove(_call, done) {
    // The log is kept as its topics declare; nobody can take a channel out of it.
    done(ERROR.notAvailable);
  },
  channels(call, done) {
    if (denies(call, 'admin', '#', done)) return;
    const pattern = textOf(call.fields.pattern, 'pattern');
    const matches = pattern === '' ? () => true : globOf(pattern);
    const found = [...call.context.presence.channels()].filter(([channel]) => matches(channel));
    const entries = found.map(([channel, clients]) => [channel, { num_clients: clients }]);
    done(JSON.stringify({ channels: Object.fromEntries(entries) }));
  },
  info(call, done) {
    if (denies(call, 'admin', '#', done)) return;
    const { clients, presence, node, version } = call.context;
    const about = {
      uid: node,
      name: 'tidegate',
      version,
      num_clients: clients.size,
      num_users: clients.users,
      num_subs: presence.size,
      num_channels: [...presence.channels()].length,
    };
    done(JSON.stringify({ nodes: [about] }));
  },
  rpc(_call, done) {
    done(ERROR.notAvailable);
  },
  batch(call, done) {
    const { commands } = call.fields;
    if (!Array.isArray(commands)) throw new MalformedCommand('no commands');
    if (commands.length > call.context.limits.batchEventsMax) done(ERROR.limitExceeded);
    else runBatch(call, commands, done);
  },
};

/** One after another, whatever `parallel` says: the order of publications is that of the commands. */
function runBatch(call: ApiCall, commands: readonly unknown[], done: (outcome: ApiOutcome) => void): void {
  const replies: string[] = [];
  const { context, identity } = call;
  const calls = commands.map((command) => {
    const named = Object.entries(fieldsOf(command, 'a command'));
    if (named.length !== 1 || named[0][0] === 'batch') throw new MalformedCommand('one method per command');
    return named[0];
  });
  let waiting = calls.length;
  if (waiting === 0) done('{"replies":[]}');
  for (const [index, [name, params]] of calls.entries()) {
    callApi(context, identity, name, params, (outcome) => {
      replies[index] =
        typeof outcome === 'string' ? `{"${name}":${outcome}}` : `{"error":${errorText(outcome)}}`;
      if (--waiting === 0) done(`{"replies":[${replies.join(',')}]}`);
    });
  }
}

function publish(
  { context, identity, fields }: ApiCall,
  channels: readonly string[],
  done: (outcomes: readonly ApiOutcome[]) => void,
): void {
  const data = dataOf(fields);
  const tags = isAbsent(fields.tags) ? null : fieldsOf(fields.tags, 'tags');
  const attributes: [string, string][] = tags === null ? [] : [[TAGS_ATTRIBUTE, JSON.stringify(tags)]];
  const key = textOf(fields.idempotency_key, 'idempotency_key');
  const allowed = channels.filter((channel) => identity.allows('publish', channel));
  const events = allowed.map((channel) => ({
    ...eventWith(channel, data, attributes),
    clientId: key === '' ? null : key,
    // As for publishers on other edges that name no source: with a space, so that none can pass for it.
    identitySource: identity.name === '' ? '' : ` ${identity.name}`,
  }));
  const settle = (outcomes: Parameters<Parameters<Channels['publish']>[2]>[0]): void => {
    let next = 0;
    done(
      channels.map((channel) => {
        if (channel !== allowed[next]) return ERROR.permissionDenied;
        const outcome = outcomes[next++];
        if (outcome instanceof TidegateError) return protocolErrorOf(outcome);
        return JSON.stringify(singlePosition(outcome.cursor) ?? {});
      }),
    );
  };
  if (events.length === 0) settle([]);
  else context.channels.publish(events, 'centrifuge', settle);
}

function dataOf({ data, b64data }: Fields): Payload {
  if (!isAbsent(b64data)) return payloadOfBytes(Buffer.from(textOf(b64data, 'b64data'), 'base64'));
  if (data === undefined) throw new MalformedCommand('no data');
  return jsonPayload(data);
}

/** Does something to the connections of a user, or to one of them. */
function forClients(
  call: ApiCall,
  done: (outcome: ApiOutcome) => void,
  act: (client: ReturnType<ClientRegistry['of']>[number]) => void,
): void {
  if (denies(call, 'admin', '#', done)) return;
  const user = textOf(call.fields.user, 'user');
  const client = textOf(call.fields.client, 'client');
  for (const each of call.context.clients.of(user, client)) act(each);
  done(NOTHING);
}

/** Whether the call is not allowed; then it is answered. */
function denies(
  { identity }: ApiCall,
  permission: Permission,
  channel: string,
  done: (outcome: ApiOutcome) => void,
): boolean {
  if (identity.allows(permission, channel)) return false;
  done(ERROR.permissionDenied);
  return true;
}

function channelOf({ fields }: ApiCall): string {
  const channel = textOf(fields.channel, 'channel');
  if (channel === '') throw new MalformedCommand('no channel');
  return channel;
}

/** Patterns of /api/channels: `*` stands for any text, `?` for one character. */
function globOf(pattern: string): (channel: string) => boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 'su');
  return (channel) => expression.test(channel);
}

function textOfResult(result: Exclude<Result, { readonly method: 'error' }>): string {
  const out = new ByteWriter();
  out.byte(0x7b);
  writeJsonResult(result, out);
  out.byte(0x7d);
  return out.take().toString('utf8');
}

export function errorText({ code, message }: ProtocolError): string {
  return JSON.stringify({ code, message });
}
