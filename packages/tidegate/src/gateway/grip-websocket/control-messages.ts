import type { Buffer } from 'node:buffer';
import { type ControlMessage, parseControlMessage } from '../../wire/grip/index.ts';
import { USER_META } from '../grip-presence/present-user.ts';
import type { MetaValues } from './meta-values.ts';
import type { SessionTimes } from './session-times.ts';
import type { SocketContext } from './socket-context.ts';
import type { Subscriptions } from './subscriptions.ts';

/** What control messages of an origin act on. */
export interface ControlTargets {
  readonly subscriptions: Subscriptions;
  readonly times: SessionTimes;
  readonly subscriptionMeta: MetaValues;
  /** What the origin calls the connection; null if it has no name for it. */
  readonly connectionId: string | null;
  /** The session that the client belongs to from now on; null for none. */
  setSession(id: string | null): void;
  /** The origin leaves. */
  detach(): void;
}

/**
 * What a control message says; null if it cannot be read, which is counted and logged.
 * @param route the name of the route, for the log
 */
export function readControl(
  json: Buffer,
  route: string,
  { limits, metrics, logger }: SocketContext,
): ControlMessage | null {
  try {
    return parseControlMessage(json, limits);
  } catch (error) {
    // An origin may know more than we do: what it says for the client is not held up by that.
    metrics.controlErrors.add(1);
    logger.warn({ error, route }, 'A GRIP control message has no effect');
    return null;
  }
}

/**
 * Does what a control message says.
 * @throws TidegateError what of it cannot be followed
 */
export function applyControl(message: ControlMessage, targets: ControlTargets): void {
  const { subscriptions, times } = targets;
  switch (message.type) {
    case 'subscribe':
      subscriptions.add(message.channel, message.from);
      break;
    case 'unsubscribe':
      subscriptions.remove(message.channel);
      break;
    case 'detach':
      targets.detach();
      break;
    case 'session':
      targets.setSession(message.id);
      break;
    case 'set-meta':
      targets.subscriptionMeta.put(message.name, message.value);
      if (message.name === USER_META) subscriptions.identify(targets.subscriptionMeta, targets.connectionId);
      break;
    case 'keep-alive':
      times.keepAlive(message.keepAlive);
      break;
    case 'send-delayed':
      times.delay(message.frame, message.delayMs);
      break;
    case 'flush-delayed':
      times.flushDelayed();
      break;
  }
}
