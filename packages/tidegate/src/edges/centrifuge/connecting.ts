import { type Identity, ONE_CONNECTION } from '../../access/port.ts';
import { TidegateError } from '../../kernel/index.ts';
import { openAdmitted } from './admission.ts';
import { claimsOf } from './connection-claims.ts';
import { type Command, PLAIN_WISH, type Result, type SubscribeWish } from './protocol.ts';
import type { Session } from './session.ts';
import {
  DISCONNECT,
  type Disconnect,
  ERROR,
  failure,
  type ProtocolError,
  protocolErrorOf,
} from './status.ts';
import { PLAIN_OPTIONS, type SubscribeOptions } from './subscribe-options.ts';
import type { Opened, Opening } from './subscription-request.ts';

type ConnectCommand = Extract<Command, { readonly method: 'connect' }>;

/** Lets a client in that shows a good token, or none, and subscribes it to the channels that its token names. */
export function admit(session: Session, command: ConnectCommand, answer: (result: Result) => void): void {
  const { access } = session.context;
  const shown = session.takeCredential();
  const token = command.token === '' ? shown : command.token;
  if (token === '') {
    // As Centrifugo says it that there are no credentials.
    const { unnamed } = session.arrival;
    if (unnamed === access.anonymous && !access.admitsAnonymous) session.disconnect(DISCONNECT.badRequest);
    else connect(session, unnamed, command, answer);
    return;
  }
  access.verify(token, session.from, (result) => {
    if (!session.isOpen) return;
    // A token for one channel is not one for all that its issuer's tokens allow.
    if (isForChannel(result)) session.disconnect(DISCONNECT.invalidToken);
    else if (!(result instanceof TidegateError)) connect(session, result, command, answer);
    else if (result.code === 'token_expired') answer(failure(ERROR.tokenExpired));
    else refuse(session, result, answer);
  });
}

/** Takes a new token of the same user in place of the one that ends. */
export function refreshed(session: Session, token: string, answer: (result: Result) => void): void {
  session.context.access.verify(token, session.from, (result) => {
    if (!session.isOpen) return;
    if (result instanceof TidegateError) {
      // The client comes back, and is told then that it needs another one.
      if (result.code === 'token_expired') session.disconnect(DISCONNECT.expired);
      else refuse(session, result, answer);
      return;
    }
    if (isForChannel(result) || result.user !== session.user) {
      session.disconnect(DISCONNECT.invalidToken);
      return;
    }
    const ttlSeconds = session.adopt(result, session.info.connInfo);
    const { version } = session.context;
    answer({ method: 'refresh', client: session.client, version, ttlSeconds });
    session.subscriptions.review();
  });
}

function isForChannel(result: Identity | TidegateError): boolean {
  return !(result instanceof TidegateError) && result.claims.channel !== undefined;
}

/** What may be better later is said in the reply; the others need not come back with this token. */
function refuse(session: Session, error: TidegateError, answer: (result: Result) => void): void {
  const told: ProtocolError | Disconnect =
    error.code === 'issuer_unavailable'
      ? ERROR.internal
      : error.code === 'credential_attempts_exceeded'
        ? ERROR.tooManyRequests
        : DISCONNECT.invalidToken;
  if ('message' in told) answer(failure(told));
  else session.disconnect(told);
}

/** Lets the client in as soon as it is known whether its limits allow one more connection. */
function connect(
  session: Session,
  identity: Identity,
  command: ConnectCommand,
  answer: (result: Result) => void,
): void {
  session.context.access.admit(identity, ONE_CONNECTION, 1, () => {
    if (session.isOpen) connected(session, identity, command, answer);
  });
}

function connected(
  session: Session,
  identity: Identity,
  command: ConnectCommand,
  answer: (result: Result) => void,
): void {
  const claimed = claimsOf(identity);
  if (claimed === null) {
    session.disconnect(DISCONNECT.invalidToken);
    return;
  }
  let ttlSeconds: number;
  try {
    ttlSeconds = session.adopt(identity, claimed.info);
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    if (error.code === 'quota_exceeded') session.disconnect(DISCONNECT.connectionLimit);
    else answer(failure(protocolErrorOf(error)));
    return;
  }
  const { limits, version, format } = session.context;
  prepareClaimed(session, claimed.subscriptions, command.subs, (channels, opened) => {
    // Those that cannot be had are left out.
    const had = opened.flatMap(({ outcome }, index) =>
      'position' in outcome ? [[channels[index], outcome] as const] : [],
    );
    answer({
      method: 'connect',
      client: session.client,
      version,
      ttlSeconds,
      pingSeconds: format.pings === 'frames' ? 0 : Math.max(1, Math.ceil(limits.keepAliveIntervalMs / 1000)),
      session: session.arrival.session,
      node: session.arrival.node,
      subs: new Map(had),
    });
    for (const { entered } of opened) entered();
  });
}

/** Prepares the server-side subscriptions, one after another: they are opened together, right before the client is told of them. */
function prepareClaimed(
  session: Session,
  claimed: ReadonlyMap<string, SubscribeOptions>,
  wishes: ReadonlyMap<string, SubscribeWish>,
  done: (channels: readonly string[], opened: readonly Opened[]) => void,
): void {
  const channels = [...claimed.keys()];
  const openings: Opening[] = [];
  const next = (index: number): void => {
    if (index === channels.length) {
      openAdmitted(session, openings, (opened) => done(channels, opened));
      return;
    }
    const channel = channels[index];
    const options = claimed.get(channel) ?? PLAIN_OPTIONS;
    const { recover } = wishes.get(channel) ?? PLAIN_WISH;
    const wish = { ...PLAIN_WISH, recover };
    session.subscriptions.prepare({ channel, wish, side: 'server', options }, (opening) => {
      openings.push(opening);
      next(index + 1);
    });
  };
  next(0);
}
