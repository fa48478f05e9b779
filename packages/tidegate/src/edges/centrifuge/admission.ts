import { ONE_SUBSCRIPTION } from '../../access/port.ts';
import type { Opened, Opening } from './subscription-request.ts';
import type { SubscriptionsHost } from './subscriptions.ts';

/**
 * Opens subscriptions together, once it is known how many of them the limits of the client allow. Calls back once, now or later, right after
 * they were opened. If the session ends meanwhile none is opened, and `ended` is called instead.
 */
export function openAdmitted(
  host: SubscriptionsHost,
  openings: readonly Opening[],
  ready: (opened: readonly Opened[]) => void,
  ended: () => void = () => {},
): void {
  const times = openings.reduce((sum, { takes }) => sum + takes, 0);
  host.context.access.admit(host.identity, ONE_SUBSCRIPTION, times, () => {
    if (host.isOpen) ready(openings.map((opening) => opening.open()));
    else ended();
  });
}
