import { Buffer } from 'node:buffer';
import type { AccessRules } from './access/index.ts';
import { createPinoLogger, createPrometheusMetrics } from './bindings/index.ts';
import { ForwardedPublisher, Hub, RemotePresence } from './channels/index.ts';
import type { ResolvedConfig } from './config/index.ts';
import { FollowedSnapshot, prefixesOf } from './control/index.ts';
import { CLIENT_INFO_FORM, WorkerProcesses } from './edges/index.ts';
import { serveProcess, ToldAttendance } from './gateway/index.ts';
import { type Line, type Logger, type Metrics, pause, systemClock } from './kernel/index.ts';
import type { PublicListener } from './listeners/index.ts';
import { FollowerLog } from './log/index.ts';
import {
  accessRules,
  changedRules,
  gatewayRules,
  gripProcessOf,
  openGateOf,
  openGatewayOf,
  openPublicPort,
  type ServingParts,
} from './serving.ts';
import { answerLife, lineToOwner } from './workers/index.ts';

/** What the owner tells a worker that is to serve, as JSON. */
export interface WorkerSetup {
  readonly config: ResolvedConfig;
  /** The public port, which the owner listens on already. */
  readonly port: number;
  /** The secret of TLS session tickets, in base64. */
  readonly ticketKeys: string;
}

/** How long clients may take to be told, if the owner of the log has died. */
const OWNERLESS_MS = 500;

/** A worker that serves. */
interface Serving {
  readonly listener: PublicListener;
  /** Ends what is under way, at most in this time. */
  end(timeoutMs: number): Promise<void>;
}

/**
 * Runs this process as a worker, from its owner's first word to its end: it serves the public port beside the owner, reads the log in place and
 * has the owner append to it. It ends when the owner says so, and by itself when the owner is gone, so that its clients find another server.
 */
export function runWorker(): void {
  // A terminal sends them to all processes of a server; what they mean to this one is for the owner to say.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.title = 'tidegate worker';
  // Until it is told how much to log.
  let logger = createPinoLogger('error', process.stderr);
  const line = lineToOwner(systemClock, (error) =>
    logger.error({ error }, 'What the owner of the log said could not be taken'),
  );
  const metrics = createPrometheusMetrics();
  let setup: WorkerSetup | null = null;
  let serving: Promise<Serving> | null = null;
  const end = async (timeoutMs: number, code: number): Promise<void> => {
    // Whatever takes longer than that is given up.
    void pause(timeoutMs).then(() => process.exit(code));
    await (await serving)?.end(timeoutMs);
    process.exit(code);
  };
  line.onClosed(() => void end(OWNERLESS_MS, 1));
  answerLife(line, {
    async serve(question) {
      const told = question as { readonly worker: number; readonly setup: WorkerSetup };
      setup = told.setup;
      logger = createPinoLogger(setup.config.logLevel, process.stderr, { worker: told.worker });
      serving = serve(line, setup, metrics, logger);
      await serving;
    },
    async pulse() {},
    figures: () => metrics.figures(),
    async reload() {
      await (await serving)?.listener.reload();
    },
    drain: () => end(setup?.config.limits.drainTimeoutMs ?? 0, 0),
  });
}

async function serve(line: Line, setup: WorkerSetup, metrics: Metrics, logger: Logger): Promise<Serving> {
  const { config, port, ticketKeys } = setup;
  const { limits } = config;
  const clock = systemClock;
  const log = await FollowerLog.follow({ folder: config.dataFolder, line, logger, metrics, limits });
  const snapshot = await FollowedSnapshot.follow(line);
  const publisher = new ForwardedPublisher(line, limits, metrics);
  const hub = new Hub({
    log,
    publisher,
    clock,
    logger,
    metrics,
    limits,
    prefixes: prefixesOf(snapshot),
  });
  const presence = new RemotePresence(line, CLIENT_INFO_FORM, limits);
  const processes = new WorkerProcesses(line, limits);
  const parts: ServingParts = { config, hub, clock, limits, logger, metrics, presence, processes };
  const gate = await openGateOf(parts, rulesOf(snapshot), line);
  const gateway = openGatewayOf(parts, snapshot);
  gateway.serve(line);
  gateway.attendance?.tell(new ToldAttendance(line, clock));
  serveProcess(line, gripProcessOf(hub, gateway));
  const adopt = (changes?: readonly { readonly kind: string; readonly name: string }[]): void => {
    hub.setPrefixes(prefixesOf(snapshot));
    gate.adopt(rulesOf(snapshot));
    gateway.adopt(gatewayRules(snapshot), changes === undefined ? undefined : changedRules(changes));
  };
  snapshot.onChange(adopt);
  // It may have changed while the gate was made, and nobody serves yet who could have gone by it.
  adopt();
  const listener = await openPublicPort(parts, gate, gateway, {
    port,
    sharing: 'shared',
    ticketKeys: Buffer.from(ticketKeys, 'base64'),
  });
  return {
    listener,
    async end(timeoutMs) {
      const listenerGone = listener.drain(timeoutMs);
      gateway.drain();
      hub.drain();
      await listenerGone;
      gateway.close();
      gate.close();
      hub.close();
      await log.close();
    },
  };
}

/** As the owner goes by them. */
function rulesOf(snapshot: FollowedSnapshot): AccessRules {
  return { ...accessRules(snapshot), asksForCredentials: snapshot.asksForCredentials };
}
