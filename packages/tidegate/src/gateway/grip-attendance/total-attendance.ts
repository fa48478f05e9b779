import { hasWildcard, matchesPattern } from '../../channels/index.ts';
import { type AttendanceListener, SUBSCRIPTION_MODES, type SubscriptionMode, type Visitor } from './port.ts';

/** Hears what changes over all processes. */
export interface TotalListener {
  arrived(visitor: Visitor): void;
  left(visitor: Visitor): void;
  /** So many are subscribed to a channel, or to what matches it if it is a pattern. */
  counted(mode: SubscriptionMode, channel: string, count: number): void;
  active(route: string, times: number): void;
  requested(route: string, times: number): void;
}

/** How many are subscribed to a channel, by their routes. */
export type RouteCounts = ReadonlyMap<string, number>;

/** The lists of all processes of the server, added up, in the one that has the control ports. */
export class TotalAttendance {
  readonly #modes: Readonly<Record<SubscriptionMode, ModeCounts>>;
  readonly #listeners: TotalListener[] = [];

  constructor() {
    const modes = SUBSCRIPTION_MODES.map((mode) => [mode, new ModeCounts()] as const);
    this.#modes = Object.fromEntries(modes) as Record<SubscriptionMode, ModeCounts>;
  }

  /** To be called before anybody comes. */
  tell(listener: TotalListener): void {
    this.#listeners.push(listener);
  }

  /** A place for the list of one more process. */
  source(): AttendanceSource {
    return new AttendanceSource(this);
  }

  /** How many get what is published to a channel, by their routes; several maps where some are subscribed by a pattern. */
  subscribers(mode: SubscriptionMode, channel: string): readonly RouteCounts[] {
    return this.#modes[mode].matching(channel);
  }

  // --- What the lists tell. ---

  arrived(visitor: Visitor): void {
    for (const listener of this.#listeners) listener.arrived(visitor);
  }

  left(visitor: Visitor): void {
    for (const listener of this.#listeners) listener.left(visitor);
  }

  changed(mode: SubscriptionMode, route: string, channel: string, by: number): void {
    const count = this.#modes[mode].change(route, channel, by);
    for (const listener of this.#listeners) listener.counted(mode, channel, count);
  }

  active(route: string, times: number): void {
    for (const listener of this.#listeners) listener.active(route, times);
  }

  requested(route: string, times: number): void {
    for (const listener of this.#listeners) listener.requested(route, times);
  }
}

/** The subscriptions of one mode. */
class ModeCounts {
  readonly #byChannel = new Map<string, Map<string, number>>();
  readonly #patterns = new Set<string>();

  /** Returns how many there are now, by all routes. */
  change(route: string, channel: string, by: number): number {
    let routes = this.#byChannel.get(channel);
    if (routes === undefined) {
      routes = new Map();
      this.#byChannel.set(channel, routes);
      if (hasWildcard(channel)) this.#patterns.add(channel);
    }
    const count = (routes.get(route) ?? 0) + by;
    if (count > 0) routes.set(route, count);
    else routes.delete(route);
    if (routes.size === 0) {
      this.#byChannel.delete(channel);
      this.#patterns.delete(channel);
    }
    let sum = 0;
    for (const each of routes.values()) sum += each;
    return sum;
  }

  matching(channel: string): readonly RouteCounts[] {
    const found: RouteCounts[] = [];
    const exact = this.#byChannel.get(channel);
    if (exact !== undefined) found.push(exact);
    for (const pattern of this.#patterns) {
      const routes = matchesPattern(pattern, channel) ? this.#byChannel.get(pattern) : undefined;
      if (routes !== undefined) found.push(routes);
    }
    return found;
  }
}

interface Counted {
  readonly mode: SubscriptionMode;
  readonly route: string;
  readonly channel: string;
  count: number;
}

/** The list of one process. Once that is gone, so are all that were on it. */
export class AttendanceSource implements AttendanceListener {
  readonly #total: TotalAttendance;
  readonly #visitors = new Map<string, Visitor>();
  readonly #counts = new Map<string, Counted>();

  constructor(total: TotalAttendance) {
    this.#total = total;
  }

  arrived(visitor: Visitor): void {
    this.#visitors.set(visitor.id, visitor);
    this.#total.arrived(visitor);
  }

  left(id: string): void {
    const visitor = this.#visitors.get(id);
    if (visitor === undefined) return;
    this.#visitors.delete(id);
    this.#total.left(visitor);
  }

  counted(mode: SubscriptionMode, route: string, channel: string, count: number): void {
    const key = `${mode} ${route} ${channel}`;
    const earlier = this.#counts.get(key);
    const by = count - (earlier?.count ?? 0);
    if (count === 0) this.#counts.delete(key);
    else if (earlier === undefined) this.#counts.set(key, { mode, route, channel, count });
    else earlier.count = count;
    if (by !== 0) this.#total.changed(mode, route, channel, by);
  }

  active(route: string, times: number): void {
    this.#total.active(route, times);
  }

  requested(route: string, times: number): void {
    this.#total.requested(route, times);
  }

  /** The process is gone. */
  gone(): void {
    for (const { mode, route, channel } of [...this.#counts.values()]) this.counted(mode, route, channel, 0);
    for (const id of [...this.#visitors.keys()]) this.left(id);
  }
}
