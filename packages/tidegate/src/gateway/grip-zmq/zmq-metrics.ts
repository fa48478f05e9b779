import type { Counter, Metrics } from '../../kernel/index.ts';

export type ItemSocket = 'pull' | 'sub';
export type ItemOutcome = 'stored' | 'duplicate' | 'invalid' | 'refused';

/** The methods of the REP socket that there are. */
export const COMMANDS = ['publish', 'conncheck', 'get-zmq-uris', 'recover', 'refresh'] as const;

export type Command = (typeof COMMANDS)[number];

const ITEM_SOCKETS: readonly ItemSocket[] = ['pull', 'sub'];
const ITEM_OUTCOMES: readonly ItemOutcome[] = ['stored', 'duplicate', 'invalid', 'refused'];

/** The figures of the ZMQ ports. */
export class ZmqMetrics {
  readonly #items = new Map<string, Counter>();
  readonly #commands = new Map<string, Counter>();
  /** Statistics that were lost because too many waited. */
  readonly dropped: Counter;

  constructor(metrics: Metrics) {
    for (const socket of ITEM_SOCKETS) {
      for (const outcome of ITEM_OUTCOMES) {
        const spec = {
          name: 'tidegate_grip_zmq_items_total',
          help: 'GRIP items that came by ZMQ, by what became of them.',
          labels: ['socket', 'outcome'],
        };
        this.#items.set(`${socket} ${outcome}`, metrics.counter(spec, [socket, outcome]));
      }
    }
    for (const method of [...COMMANDS, 'unknown']) {
      for (const outcome of ['success', 'error']) {
        const spec = {
          name: 'tidegate_grip_zmq_commands_total',
          help: 'Commands that came by ZMQ, by their method and by whether they succeeded.',
          labels: ['method', 'outcome'],
        };
        this.#commands.set(`${method} ${outcome}`, metrics.counter(spec, [method, outcome]));
      }
    }
    this.dropped = metrics.counter({
      name: 'tidegate_grip_zmq_statistics_dropped_total',
      help: 'Messages with statistics that were not sent because too many waited.',
    });
  }

  item(socket: ItemSocket, outcome: ItemOutcome): void {
    this.#items.get(`${socket} ${outcome}`)?.add(1);
  }

  command(method: Command | 'unknown', outcome: 'success' | 'error'): void {
    this.#commands.get(`${method} ${outcome}`)?.add(1);
  }
}
