import type { EventPublisher, Receivers } from '../channels/index.ts';
import type { Clock, Limits, Line, Logger, MessageSockets, Metrics, Random } from '../kernel/index.ts';
import { GripPublisher } from './grip/grip-publisher.ts';
import type { LocalAttendance } from './grip-attendance/local-attendance.ts';
import { takeNews } from './grip-attendance/told-attendance.ts';
import { TotalAttendance } from './grip-attendance/total-attendance.ts';
import { AllProcesses } from './grip-processes/all-processes.ts';
import type { GripProcess } from './grip-processes/port.ts';
import type { ZmqPorts, ZmqPortsSettings } from './grip-zmq/zmq-ports.ts';

export interface GripControlOptions {
  /** The process that this one is. */
  readonly own: GripProcess & Receivers;
  /** Those whom GRIP holds in it; null if nobody wants to know. */
  readonly attendance: LocalAttendance | null;
  /** Whether other processes serve beside this one. */
  readonly others: 'none' | 'workers';
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What the control ports of GRIP have in common, in the process that has them: what is published there, and those who are held, over all processes. */
export class GripControl {
  readonly publisher: GripPublisher;
  readonly processes: AllProcesses;
  readonly #options: GripControlOptions;
  readonly #total = new TotalAttendance();
  #zmq: ZmqPorts | null = null;

  constructor(options: GripControlOptions) {
    const { own, attendance, others, clock, limits, metrics } = options;
    this.#options = options;
    this.processes = new AllProcesses({ own, clock, limits });
    this.publisher = new GripPublisher({
      receivers: own,
      others: others === 'none' ? null : this.processes,
      published: (item) => this.#zmq?.published(item),
      clock,
      limits,
      metrics,
    });
    attendance?.tell(this.#total.source());
  }

  /** Takes in a worker. To be called when its line comes. */
  serve(line: Line): void {
    const source = this.#total.source();
    this.processes.serve(line, (news) => takeNews(news, source));
    line.onClosed(() => source.gone());
  }

  /**
   * Opens the ports of ZeroMQ. To be called once at most, and before anybody is held.
   * @throws TidegateError listen_failed
   */
  async openZmq(
    settings: ZmqPortsSettings,
    sockets: MessageSockets,
    publishAs: EventPublisher,
  ): Promise<ZmqPorts> {
    const { publisher, processes } = this;
    // Most servers have none, and start without it.
    const { ZmqPorts } = await import('./grip-zmq/zmq-ports.ts');
    this.#zmq = await ZmqPorts.open({
      ...this.#options,
      settings,
      sockets,
      publisher,
      publishAs,
      processes,
      attendance: this.#total,
    });
    return this.#zmq;
  }

  /** Takes nothing more by ZeroMQ, and stores what waits for its turn. */
  close(): void {
    this.#zmq?.close();
    this.publisher.close();
  }
}
