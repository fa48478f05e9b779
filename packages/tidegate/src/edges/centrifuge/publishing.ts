import { Buffer } from 'node:buffer';
import type { PublishedEvent } from '../../channels/index.ts';
import { TidegateError } from '../../kernel/index.ts';
import { CHAN_INFO_ATTRIBUTE, CLIENT_ATTRIBUTE, CONN_INFO_ATTRIBUTE, USER_ATTRIBUTE } from './codec.ts';
import type { ClientInfo, Command, Payload, Result } from './protocol.ts';
import type { Session } from './session.ts';
import { ERROR, failure, protocolErrorOf } from './status.ts';

export type PublishCommand = Extract<Command, { readonly method: 'publish' }>;

/** The second half of the identity of an event that has no id of the client's, and so is never compared. */
const NO_IDENTITY = '';

/** Whether a publish has what it needs. */
export function publishable({ channel, data }: PublishCommand): boolean {
  return channel !== '' && data !== null;
}

/** Publishes what the client may publish. Calls back once, with a result for each command. */
export function publishAll(
  session: Session,
  commands: readonly PublishCommand[],
  done: (results: readonly Result[]) => void,
): void {
  const { identity, subscriptions, context } = session;
  const allowed = commands.filter(({ channel }) => identity.allows('publish', channel));
  const settle = (outcomes: readonly unknown[]): void => {
    let next = 0;
    done(
      commands.map((command) =>
        command === allowed[next] ? resultOf(outcomes[next++]) : failure(ERROR.permissionDenied),
      ),
    );
  };
  if (allowed.length === 0) settle([]);
  else
    context.access.limitedChannelsFor(identity, session).publish(
      allowed.map((command) => eventOf(command, subscriptions.infoIn(command.channel))),
      'centrifuge',
      settle,
    );
}

function resultOf(outcome: unknown): Result {
  return outcome instanceof TidegateError ? failure(protocolErrorOf(outcome)) : { method: 'publish' };
}

/** The event that a publish stands for. It carries who published it, as subscribers are told. */
export function eventOf({ channel, data }: PublishCommand, info: ClientInfo): PublishedEvent {
  const attributes: [string, string][] = [[CLIENT_ATTRIBUTE, info.client]];
  if (info.user !== '') attributes.push([USER_ATTRIBUTE, info.user]);
  // Others are bytes, for which attributes have no place.
  if (info.connInfo?.kind === 'json') attributes.push([CONN_INFO_ATTRIBUTE, textOf(info.connInfo)]);
  if (info.chanInfo?.kind === 'json') attributes.push([CHAN_INFO_ATTRIBUTE, textOf(info.chanInfo)]);
  return eventWith(channel, data, attributes);
}

function textOf({ bytes }: Payload): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

export function eventWith(
  channel: string,
  data: Payload | null,
  attributes: PublishedEvent['attributes'],
): PublishedEvent {
  return {
    channel,
    data: data?.bytes ?? null,
    dataKind: data?.kind ?? 'binary',
    attributes:
      data?.kind === 'binary' ? [...attributes, ['datacontenttype', 'application/octet-stream']] : attributes,
    clientId: null,
    identitySource: NO_IDENTITY,
  };
}
