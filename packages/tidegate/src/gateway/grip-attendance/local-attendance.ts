import { type Random, randomId } from '../../kernel/index.ts';
import type { RefreshOutcome, RefreshTarget } from '../grip-processes/port.ts';
import type { Arrival, Attendance, AttendanceListener, Attendee, Visitor } from './port.ts';

const ID_CHARACTERS = 24;

/** What is told of the list: only how many are subscribed to what, or also who came and what happened. What is asked of it is answered in any case. */
export type ToldOfAttendance = 'nothing' | 'subscriptions' | 'everything';

/** Those whom GRIP holds in this process. */
export class LocalAttendance implements Attendance {
  readonly #random: Random;
  readonly #told: ToldOfAttendance;
  readonly #connections = new Map<string, Connection>();
  /** By mode and route, and then by channel. */
  readonly #counts = new Map<string, Map<string, number>>();
  /** Who hears of subscriptions, and of everything else. */
  #listener: AttendanceListener | null = null;
  #allEars: AttendanceListener | null = null;

  constructor(random: Random, told: ToldOfAttendance = 'everything') {
    this.#random = random;
    this.#told = told;
  }

  /** Who hears of all that comes from now on; to be called once, before anybody comes. */
  tell(listener: AttendanceListener): void {
    if (this.#told !== 'nothing') this.#listener = listener;
    if (this.#told === 'everything') this.#allEars = listener;
  }

  arrive(arrival: Arrival): Attendee {
    const id = arrival.id ?? randomId(this.#random, ID_CHARACTERS);
    const connection = new Connection(id, arrival, this);
    this.#connections.set(id, connection);
    this.#allEars?.arrived(visitorOf(id, arrival));
    return connection;
  }

  requested(route: string): void {
    this.#allEars?.requested(route, 1);
    this.#allEars?.active(route, 1);
  }

  /** Those of these ids that connections have which are held. */
  connected(ids: readonly string[]): readonly string[] {
    return ids.filter((id) => this.#connections.has(id));
  }

  /** Asks the origins of WebSockets now. */
  refresh(target: RefreshTarget): RefreshOutcome {
    if ('id' in target) {
      const connection = this.#connections.get(target.id);
      if (connection?.arrival.mode !== 'ws') return 'not_found';
      connection.refresh();
      return 'found';
    }
    const subscribed = [...this.#connections.values()].filter(
      ({ arrival, channels }) => arrival.mode === 'ws' && channels.includes(target.channel),
    );
    for (const connection of subscribed) connection.refresh();
    return subscribed.length > 0 ? 'found' : 'not_found';
  }

  // --- What connections tell. ---

  changed({ mode, route }: Arrival, channel: string, by: 1 | -1): void {
    const key = `${mode} ${route}`;
    let counts = this.#counts.get(key);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(key, counts);
    }
    const count = (counts.get(channel) ?? 0) + by;
    if (count > 0) counts.set(channel, count);
    else counts.delete(channel);
    if (counts.size === 0) this.#counts.delete(key);
    this.#listener?.counted(mode, route, channel, count);
  }

  active(route: string): void {
    this.#allEars?.active(route, 1);
  }

  left(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.#allEars?.left(connection.id);
  }
}

class Connection implements Attendee {
  readonly id: string;
  readonly arrival: Arrival;
  readonly channels: string[] = [];
  readonly #list: LocalAttendance;
  #hasLeft = false;

  constructor(id: string, arrival: Arrival, list: LocalAttendance) {
    this.id = id;
    this.arrival = arrival;
    this.#list = list;
  }

  join(channel: string): void {
    if (this.#hasLeft) return;
    this.channels.push(channel);
    this.#list.changed(this.arrival, channel, 1);
  }

  part(channel: string): void {
    const at = this.channels.indexOf(channel);
    if (at === -1) return;
    this.channels.splice(at, 1);
    this.#list.changed(this.arrival, channel, -1);
  }

  active(): void {
    this.#list.active(this.arrival.route);
  }

  refresh(): void {
    this.arrival.refresh?.();
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    for (const channel of this.channels.splice(0)) this.#list.changed(this.arrival, channel, -1);
    this.#list.left(this);
  }
}

function visitorOf(id: string, { mode, route, remoteAddress, scheme }: Arrival): Visitor {
  return { id, type: mode === 'ws' ? 'ws' : 'http', route, remoteAddress, scheme };
}
