import type { Channels, FrameEncoder } from '../../channels/index.ts';
import type { Clock, Deadlines, Limits, Logger, Metrics, Random } from '../../kernel/index.ts';
import { ReceiverPool } from '../../wire/websocket/index.ts';
import type { FilterRequests } from '../grip/filter-requests.ts';
import { ItemReader } from '../grip/rendered-item.ts';
import type { Attendance } from '../grip-attendance/port.ts';
import type { ListPresent } from '../grip-presence/port.ts';
import type { GripSessions } from '../grip-sessions/index.ts';
import { createFrameEncoder, createItemEncoder } from './encoders.ts';
import { SocketMetrics } from './socket-metrics.ts';

export interface SocketContextOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How exactly the times of WebSockets are met; each sweep looks at all of them, so that a few in a second are enough. */
  readonly deadlines: Deadlines;
  /** The hub, as origins may use it. */
  readonly channels: Channels;
  /** Asks origins for filters: the same for all of GRIP, as it is bounded. */
  readonly filters: FilterRequests;
  readonly sessions: GripSessions;
  /** The list of who is there. Default: null, nobody wants to know. */
  readonly attendance?: Attendance | null;
  /** Lists those who have a user as present. Default: null, nobody is listed. */
  readonly present?: ListPresent | null;
}

/** What all GRIP WebSockets share. */
export class SocketContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly deadlines: Deadlines;
  readonly channels: Channels;
  readonly filters: FilterRequests;
  readonly sessions: GripSessions;
  readonly attendance: Attendance | null;
  readonly present: ListPresent | null;
  readonly metrics: SocketMetrics;
  readonly frameEncoder: FrameEncoder;
  readonly itemEncoder: FrameEncoder;
  readonly receivers: ReceiverPool;

  constructor(options: SocketContextOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.limits = options.limits;
    this.logger = options.logger;
    this.deadlines = options.deadlines;
    this.channels = options.channels;
    this.filters = options.filters;
    this.sessions = options.sessions;
    this.attendance = options.attendance ?? null;
    this.present = options.present ?? null;
    this.metrics = new SocketMetrics(options.metrics);
    const reader = new ItemReader(options.limits);
    this.frameEncoder = createFrameEncoder(reader, this.metrics.notMeant);
    this.itemEncoder = createItemEncoder(reader);
    this.receivers = new ReceiverPool({
      role: 'server',
      messageBytesMax: options.limits.webSocketMessageBytesMax,
      framesMax: options.limits.webSocketFramesMax,
      compression: 'none',
    });
  }
}
