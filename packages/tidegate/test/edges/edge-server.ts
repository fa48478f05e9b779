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
  const log = openMemoryLog({ ...common, random: seededRandom(1) });
  await log.createTopic(topicSpec('default'));
  for (const topic of options.topics ?? []) await log.createTopic(topic);
  const hub = new Hub({
    log,
    clock: systemClock,
    logger: silentLogger,
    metrics: noMetrics,
    limits,
    prefixes: new Map(),
  });
  const channels = new CountedChannels(hub);
  const edges = createEdges({
    access: options.access?.(channels) ?? openAccess(channels),
    channels,
    clock: systemClock,
    random: seededRandom(2),
    metrics: noMetrics,
    limits,
    version: '1.2.3',
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
      hub.drain();
      await gone;
      hub.close();
      await log.close();
    },
  };
}
