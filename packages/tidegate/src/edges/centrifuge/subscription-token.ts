import type { Identity } from '../../access/port.ts';
import { TidegateError } from '../../kernel/index.ts';
import { MalformedCommand } from './protocol.ts';
import { DISCONNECT, ERROR, type ProtocolError, protocolErrorOf } from './status.ts';
import { type SubscribeOptions, subscribeOptionsOf } from './subscribe-options.ts';
import type { SubscriptionsHost } from './subscriptions.ts';

/** What a token of a subscription is shown for. */
export type TokenUse = 'subscribe' | 'refresh';

/**
 * Verifies a token of a subscription. Calls back with whom it names or why it admits to nothing, and not at all if the session
 * ends: it does if the token is good, but for another channel or user, and if a refresh shows one that is no good at all.
 */
export function verifySubscriptionToken(
  host: SubscriptionsHost,
  channel: string,
  token: string,
  use: TokenUse,
  done: (outcome: Identity | ProtocolError) => void,
): void {
  const { context, from, identity } = host;
  context.access.verify(token, from, (result) => {
    if (!host.isOpen) return;
    if (result instanceof TidegateError) {
      const error = protocolErrorOf(result);
      const isUseless = error === ERROR.permissionDenied || error === ERROR.tokenRevoked;
      if (use === 'refresh' && isUseless) host.disconnect(DISCONNECT.invalidToken);
      else done(error);
    }
    // A server without credentials takes any, and knows nothing of what they say.
    else if (result === context.access.anonymous)
      done(identity.allows('subscribe', channel) ? result : ERROR.permissionDenied);
    else if (result.claims.channel !== channel || result.user !== identity.user || !hasGoodOptions(result))
      host.disconnect(DISCONNECT.invalidToken);
    else done(result);
  });
}

/**
 * What the server wants of a subscription that rests on a token.
 * @throws MalformedCommand
 */
export function optionsOfToken({ claims: { info, b64info, override } }: Identity): SubscribeOptions {
  return subscribeOptionsOf({ info, b64info, override });
}

function hasGoodOptions(token: Identity): boolean {
  try {
    optionsOfToken(token);
    return true;
  } catch (error) {
    if (!(error instanceof MalformedCommand)) throw error;
    return false;
  }
}
