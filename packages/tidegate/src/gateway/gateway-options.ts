import type { Channels } from '../channels/index.ts';
import type { Clock, Limits, Logger, Metrics, Random } from '../kernel/index.ts';
import type { LocalAttendance } from './grip-attendance/local-attendance.ts';
import type { ListPresent } from './grip-presence/port.ts';
import type { NameLookup } from './origin/resolver.ts';

/** What a gateway is made of. */
export interface GatewayOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The hub: what origins hold clients by. */
  readonly channels: Channels;
  /** The paths that the server answers itself, unless a route precedes them: see `builtInLength`. */
  readonly builtIn: readonly string[];
  /** Where `others` serves an event stream of the channels that the query names, for routes that lead to one. */
  readonly channelsPath: string;
  /** The list of those whom GRIP holds here. Default: null, nobody wants to know. */
  readonly attendance?: LocalAttendance | null;
  /** Lists those whom GRIP holds, and whose origin says who they are, as present. Default: null, nobody is listed. */
  readonly present?: ListPresent | null;
  /** How names of targets are looked up. Default: as the system does. */
  readonly lookup?: NameLookup;
}
