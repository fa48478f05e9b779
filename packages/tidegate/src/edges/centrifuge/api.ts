import { Buffer } from 'node:buffer';
import type { Identity, Permission } from '../../access/port.ts';
import { type Channels, type FrameEncoder, type PresenceList, singlePosition } from '../../channels/index.ts';
import { ByteWriter, type Limits, TidegateError } from '../../kernel/index.ts';
import { type ApiOutcome, errorText, outcomeText } from './api-outcome.ts';
import { type CallOne, callInOrder } from './api-sequence.ts';
import type { ClientAction, Deed } from './client-action.ts';
import { TAGS_ATTRIBUTE } from './codec.ts';
import { writeJsonResult } from './codec-json.ts';
import { readHistory } from './history.ts';
import { type Fields, fieldsOf, flagOf, integerOf, isAbsent, positionOf, textOf } from './json-fields.ts';
import { jsonPayload, payloadOfBytes } from './payload.ts';
import { askMembers, askStats } from './presence-results.ts';
import type { NodeDescription, OtherProcesses, ProcessConnections } from './processes.ts';
import { type ClientInfo, MalformedCommand, type Payload, type Result } from './protocol.ts';
import { eventWith } from './publishing.ts';
import { DISCONNECT, ERROR, protocolErrorOf } from './status.ts';
import { subscribeOptionsOf } from './subscribe-options.ts';

/** What the API works on. */
export interface ApiContext {
  readonly channels: Channels;
  readonly presence: PresenceList<ClientInfo>;
  readonly limits: Limits;
  /** Reads messages in JSON. */
  readonly encoder: FrameEncoder;
  readonly own: ProcessConnections;
  /** Null if there are no others. */
  readonly others: OtherProcesses | null;
}

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
      const responses = outcomes.map((outcome) => `{${outcomeText(outcome)}}`);
      done(`{"responses":[${responses.join(',')}]}`);
    });
  },
  subscribe(call, done) {
    const channel = channelOf(call);
    toClients(call, done, { deed: 'subscribe', channel, options: subscribeOptionsOf(call.fields) });
  },
  unsubscribe(call, done) {
    const channel = channelOf(call);
    toClients(call, done, { deed: 'unsubscribe', channel });
  },
  disconnect(call, done) {
    const wish = isAbsent(call.fields.disconnect) ? null : fieldsOf(call.fields.disconnect, 'disconnect');
    const code = wish === null ? 0 : integerOf(wish.code, 'code');
    if (code !== 0 && (code < 3000 || code > 4999)) throw new MalformedCommand('code');
    const reason =
      code === 0 ? DISCONNECT.forceNoReconnect : { code, reason: textOf(wish?.reason, 'reason') };
    toClients(call, done, { deed: 'disconnect', reason });
  },
  refresh(call, done) {
    // How long a connection is good for is the token's to say.
    if (!flagOf(call.fields.expired, 'expired')) done(ERROR.notAvailable);
    else toClients(call, done, { deed: 'disconnect', reason: DISCONNECT.expired });
  },
  presence(call, done) {
    const channel = channelOf(call);
    if (denies(call, 'presence', channel, done)) return;
    askMembers(call.context, channel, (result) => done(outcomeOf(result)));
  },
  presence_stats(call, done) {
    const channel = channelOf(call);
    if (denies(call, 'presence', channel, done)) return;
    askStats(call.context, channel, (result) => done(outcomeOf(result)));
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
    readHistory(call.context, wish, (result) => done(outcomeOf(result)));
  },
  history_remove(_call, done) {
    // The log is kept as its topics declare; nobody can take a channel out of it.
    done(ERROR.notAvailable);
  },
  channels(call, done) {
    if (denies(call, 'admin', '#', done)) return;
    const pattern = textOf(call.fields.pattern, 'pattern');
    const matches = pattern === '' ? () => true : globOf(pattern);
    const { presence, limits } = call.context;
    presence.channels(limits.centrifugeChannelsBytesMax, (outcome) => {
      if (outcome === 'too_many') {
        done(ERROR.limitExceeded);
        return;
      }
      if (outcome instanceof TidegateError) {
        done(protocolErrorOf(outcome));
        return;
      }
      const found = [...outcome].filter(([channel]) => matches(channel));
      const entries = found.map(([channel, clients]) => [channel, { num_clients: clients }]);
      done(JSON.stringify({ channels: Object.fromEntries(entries) }));
    });
  },
  info(call, done) {
    if (denies(call, 'admin', '#', done)) return;
    const { own, others } = call.context;
    const tell = (nodes: readonly NodeDescription[]): void =>
      done(JSON.stringify({ nodes: [own.describe(), ...nodes] }));
    if (others === null) tell([]);
    else others.describe(tell);
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
  const { context, identity } = call;
  const calls = commands.map((command) => {
    const named = Object.entries(fieldsOf(command, 'a command'));
    if (named.length !== 1 || named[0][0] === 'batch') throw new MalformedCommand('one method per command');
    return named[0];
  });
  const callOne: CallOne = (name, params, answer) => callApi(context, identity, name, params, answer);
  callInOrder(calls, callOne, (outcomes) => {
    const replies = outcomes.map((outcome, index) =>
      typeof outcome === 'string' ? `{"${calls[index][0]}":${outcome}}` : `{"error":${errorText(outcome)}}`,
    );
    done(`{"replies":[${replies.join(',')}]}`);
  });
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

/** Does something to the connections of a user, or to one of them, whichever process they are of. */
function toClients(call: ApiCall, done: (outcome: ApiOutcome) => void, deed: Deed): void {
  if (denies(call, 'admin', '#', done)) return;
  const { user, client } = call.fields;
  const action: ClientAction = { user: textOf(user, 'user'), client: textOf(client, 'client'), ...deed };
  const { own, others } = call.context;
  own.act(action, () => {
    if (others === null) done(NOTHING);
    else others.act(action, () => done(NOTHING));
  });
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

function outcomeOf(result: Result): ApiOutcome {
  if (result.method === 'error') return result;
  const out = new ByteWriter();
  out.byte(0x7b);
  writeJsonResult(result, out);
  out.byte(0x7d);
  return out.take().toString('utf8');
}
