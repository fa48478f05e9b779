import type { Channels } from '../../channels/index.ts';
import type { Clock, Deadlines, Limits, Logger, Random } from '../../kernel/index.ts';
import type { Attendance } from '../grip-attendance/port.ts';
import type { ListPresent } from '../grip-presence/port.ts';
import type { GripSessions } from '../grip-sessions/index.ts';
import type { FilterRequests } from './filter-requests.ts';
import type { GripMetrics } from './grip-metrics.ts';
import type { HoldEncoders } from './hold-encoders.ts';
import type { LastIds } from './last-ids.ts';
import type { LinkFetcher } from './link-fetcher.ts';

/** What all holds of a process share. */
export interface HoldContext {
  readonly channels: Channels;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: GripMetrics;
  /** The list of who is held; null if nobody wants to know. */
  readonly attendance: Attendance | null;
  /** Lists those who have a user as present; null where nobody is listed. */
  readonly present: ListPresent | null;
  readonly encoders: HoldEncoders;
  readonly links: LinkFetcher;
  readonly lastIds: LastIds;
  readonly filters: FilterRequests;
  readonly sessions: GripSessions;
  /** The time-outs, keep-alives and links of holds. */
  readonly deadlines: Deadlines;
}
