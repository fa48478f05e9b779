import type { EventPublisher } from '../../channels/index.ts';
import {
  type BoundPublisher,
  type BoundSocket,
  type Clock,
  type Limits,
  type Logger,
  type MessageSockets,
  type Metrics,
  type Random,
  randomId,
} from '../../kernel/index.ts';
import type { PublishItem } from '../../wire/grip/index.ts';
import type { GripPublisher } from '../grip/grip-publisher.ts';
import { FollowedChannels } from '../grip-attendance/followed-channels.ts';
import type { TotalAttendance } from '../grip-attendance/total-attendance.ts';
import type { GripProcesses } from '../grip-processes/port.ts';
import { ChannelInterest } from './channel-interest.ts';
import { Commands } from './commands.ts';
import { ItemIntake } from './item-intake.ts';
import { Statistics } from './statistics.ts';
import type { StatisticsFormat } from './statistics-frame.ts';
import { ZmqMetrics } from './zmq-metrics.ts';

/** Which sockets there are, and where: `listen.zmq`. Null for those that there are not, 0 for any free port. */
export interface ZmqPortsSettings {
  readonly host: string;
  readonly pullPort: number | null;
  readonly subPort: number | null;
  readonly repPort: number | null;
  readonly statsPort: number | null;
  readonly statsFormat: StatisticsFormat;
}

export interface ZmqPortsOptions {
  readonly settings: ZmqPortsSettings;
  readonly sockets: MessageSockets;
  readonly publisher: GripPublisher;
  /** By whom events are published: a socket of ZeroMQ asks nobody who he is. */
  readonly publishAs: EventPublisher;
  readonly processes: GripProcesses;
  readonly attendance: TotalAttendance;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const SERVER_ID_CHARACTERS = 8;

/** The ports that are bound. */
export type ZmqPortName = 'pullPort' | 'subPort' | 'repPort' | 'statsPort';

/** The sockets of ZeroMQ that Pushpin has: items by PULL and SUB, commands by REP, statistics by PUB. */
export class ZmqPorts {
  readonly #options: ZmqPortsOptions;
  readonly #metrics: ZmqMetrics;
  readonly #followed: FollowedChannels;
  readonly #bound = new Map<ZmqPortName, BoundSocket>();
  #statistics: Statistics | null = null;

  private constructor(options: ZmqPortsOptions) {
    this.#options = options;
    this.#metrics = new ZmqMetrics(options.metrics);
    this.#followed = new FollowedChannels(options.clock, options.limits);
  }

  /**
   * To be called before anybody is held.
   * @throws TidegateError listen_failed; then none is open
   */
  static async open(options: ZmqPortsOptions): Promise<ZmqPorts> {
    const ports = new ZmqPorts(options);
    try {
      await ports.#open();
    } catch (error) {
      ports.close();
      throw error;
    }
    return ports;
  }

  /** Where a socket is bound; null if there is none. */
  portOf(name: ZmqPortName): number | null {
    return this.#bound.get(name)?.port ?? null;
  }

  /** An item was stored, whichever way it came. */
  published(item: PublishItem): void {
    this.#statistics?.published(item);
  }

  close(): void {
    for (const socket of this.#bound.values()) socket.close();
    this.#statistics?.close();
    this.#followed.close();
  }

  async #open(): Promise<void> {
    const { settings, sockets, attendance } = this.#options;
    const followed = this.#followed;
    const intake = new ItemIntake({ ...this.#options, metrics: this.#metrics });
    const commands = new Commands({
      ...this.#options,
      metrics: this.#metrics,
      uris: () => this.#uris(),
    });
    if (settings.statsPort !== null) {
      const socket = await sockets.publisher(this.#at(settings.statsPort));
      this.#bound.set('statsPort', socket);
      this.#tellStatistics(socket);
    }
    if (settings.subPort !== null) {
      const socket = await sockets.subscriber({
        ...this.#at(settings.subPort),
        take: (frames, done) => intake.subscribed(frames, done),
      });
      this.#bound.set('subPort', socket);
      followed.tell(new ChannelInterest(socket));
    }
    if (settings.subPort !== null || settings.statsPort !== null) {
      attendance.tell({
        ...DEAF,
        counted: (mode, channel, count) => followed.counted(mode, channel, count),
      });
    }
    if (settings.pullPort !== null) {
      const socket = await sockets.pull({
        ...this.#at(settings.pullPort),
        take: (frames, done) => intake.pulled(frames, done),
      });
      this.#bound.set('pullPort', socket);
    }
    if (settings.repPort !== null) {
      const socket = await sockets.replier({
        ...this.#at(settings.repPort),
        reply: (frames, answer) => commands.reply(frames, answer),
      });
      this.#bound.set('repPort', socket);
    }
  }

  #at(port: number) {
    const { settings, limits } = this.#options;
    return {
      host: settings.host,
      port,
      frameBytesMax: limits.gripFrameBytesMax,
      queuedMax: limits.gripZmqQueuedMax,
      pendingMax: limits.gripZmqPendingMax,
      pendingBytesMax: limits.gripZmqPendingBytesMax,
    };
  }

  #tellStatistics(socket: BoundPublisher): void {
    const { settings, attendance, clock, random } = this.#options;
    const statistics = new Statistics({
      socket,
      format: settings.statsFormat,
      from: `tidegate-${randomId(random, SERVER_ID_CHARACTERS)}`,
      attendance,
      clock,
      metrics: this.#metrics,
    });
    this.#statistics = statistics;
    attendance.tell(statistics);
    this.#followed.tell(statistics);
  }

  /** As Pushpin names them. */
  #uris(): Readonly<Record<string, string>> {
    const { host } = this.#options.settings;
    const uris: Record<string, string> = {};
    for (const [name, port] of URI_NAMES) {
      const bound = this.portOf(port);
      if (bound !== null) uris[name] = `tcp://${host.includes(':') ? `[${host}]` : host}:${bound}`;
    }
    return uris;
  }
}

const URI_NAMES = [
  ['command', 'repPort'],
  ['publish-pull', 'pullPort'],
  ['publish-sub', 'subPort'],
] as const;

/** Of what it does not hear. */
const DEAF = { arrived() {}, left() {}, active() {}, requested() {} };
