import { type Channels, Hub } from '../../src/channels/index.ts';
import { createEdges, type EdgesOptions } from '../../src/edges/index.ts';
import {
  type Limits,
  noMetrics,
  resolveLimits,
  seededRandom,
  silentLogger,
  systemClock,
} from '../../src/kernel/index.ts';
import { createHttpListener } from '../../src/listeners/index.ts';
import { type Log, openMemoryLog, type TopicSpec } from '../../src/log/index.ts';
import { openAccess } from '../support/open-access.ts';
import { topicSpec } from '../support/test-hub.ts';

/** What a test wants to be otherwise. */
export interface EdgeServerOptions {
  readonly limits?: Partial<Limits>;
  readonly topics?: readonly TopicSpec[];
  readonly websocket?: EdgesOptions['websocket'];
  /** Who may do what; everybody everything unless told. */
  readonly access?: (channels: Channels) => EdgesOptions['access'];
  /** A server whose hub and log it shares, as the processes of one server do; it is to be closed after this one. */
  readonly beside?: EdgeServer;
  readonly presence?: EdgesOptions['presence'];
  readonly processes?: EdgesOptions['processes'];
  /** Default: nothing is cached. */
  readonly purge?: EdgesOptions['purge'];
  /** Of what is random; processes that know each other need different ones. */
  readonly seed?: number;
}

/** Every edge on a real port of loopback, over a real hub and a log in memory. */
export interface EdgeServer {
  readonly url: string;
  readonly port: number;
  readonly hub: Hub;
  readonly log: Log;
  /** How many subscriptions the edges hold. */
  subscriptions(): number;
  close(): Promise<void>;
}

/** The hub, with a count of the subscriptions that were begun and not closed. */
class CountedChannels implements Channels {
  readonly #hub: Hub;
  open = 0;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  reach: Channels['reach'] = (...wanted) => this.#hub.reach(...wanted);

  publish: Channels['publish'] = (events, protocol, done) => this.#hub.publish(events, protocol, done);

  subscribe: Channels['subscribe'] = (request) => {
    const subscription = this.#hub.subscribe(request);
    this.open++;
    let closed = false;
    return {
      drained: () => subscription.drained(),
      cursor: () => subscription.cursor(),
      close: () => {
        if (!closed) this.open--;
        closed = true;
        subscription.close();
      },
    };
  };

  drain = (): void => this.#hub.drain();
}

export async function startEdgeServer(options: EdgeServerOptions = {}): Promise<EdgeServer> {
  const limits = resolveLimits(options.limits);
  const common = { limits, clock: systemClock, logger: silentLogger, metrics: noMetrics };
  const { log, hub } = options.beside ?? (await openHub(limits, options.topics ?? []));
  const channels = new CountedChannels(hub);
  const edges = createEdges({
    access: options.access?.(channels) ?? openAccess(channels),
    channels,
    clock: systemClock,
    random: seededRandom(options.seed ?? 2),
    metrics: noMetrics,
    limits,
    version: '1.2.3',
    presence: options.presence,
    processes: options.processes,
    purge: options.purge ?? ((_purges, _credential, done) => done(null)),
    websocket: options.websocket ?? { compression: false },
  });
  const listener = await createHttpListener({ ...common, host: '127.0.0.1', port: 0 }, edges);
  return {
    url: `http://127.0.0.1:${listener.port}`,
    port: listener.port,
    hub,
    log,
    subscriptions: () => channels.open,
    close: async () => {
      const gone = listener.drain(2000);
      if (options.beside === undefined) hub.drain();
      await gone;
      if (options.beside !== undefined) return;
      hub.close();
      await log.close();
    },
  };
}

async function openHub(limits: Limits, topics: readonly TopicSpec[]): Promise<{ log: Log; hub: Hub }> {
  const common = { clock: systemClock, logger: silentLogger, metrics: noMetrics, limits };
  const log = openMemoryLog({ ...common, random: seededRandom(1) });
  await log.createTopic(topicSpec('default'));
  for (const topic of topics) await log.createTopic(topic);
  return { log, hub: new Hub({ ...common, log, prefixes: new Map() }) };
}
