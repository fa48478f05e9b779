import { ONE_SUBSCRIPTION } from '../../access/port.ts';
import type { Opened, Opening, SubscriptionsHost } from './subscriptions.ts';

/**
 * Opens subscriptions together, once it is known how many of them the limits of the client allow. Calls back once, now or later, right after
 * they were opened, and not at all if the session ends meanwhile; then none is opened.
 */
export function openAdmitted(
  host: SubscriptionsHost,
  openings: readonly Opening[],
  ready: (opened: readonly Opened[]) => void,
): void {
  const times = openings.reduce((sum, { takes }) => sum + takes, 0);
  host.context.access.admit(host.identity, ONE_SUBSCRIPTION, times, () => {
    if (host.isOpen) ready(openings.map((opening) => opening.open()));
  });
}
