import type { Buffer } from 'node:buffer';
import { type AccessRules, type Gate, openGate, revokedBy } from './access/index.ts';
import type { Hub, PresenceList } from './channels/index.ts';
import type { ResolvedConfig } from './config/index.ts';
import {
  KEY_KIND,
  type Purger,
  REVOCATION_KIND,
  type ResourceSpecs,
  ROUTE_KIND,
  UPSTREAM_KIND,
} from './control/index.ts';
import {
  BUILT_IN_PATHS,
  CHANNELS_PATH,
  type ClientInfo,
  createEdges,
  credentialOf,
  type OtherProcesses,
  withoutCredential,
} from './edges/index.ts';
import {
  type ChangedRules,
  createControlPort,
  Gateway,
  type GatewayRules,
  GripControl,
  type GripProcess,
  LocalAttendance,
} from './gateway/index.ts';
import {
  type Clock,
  type Limits,
  type Line,
  type Logger,
  type MessageSockets,
  type Metrics,
  noMetrics,
  packageVersion,
  systemRandom,
  TidegateError,
} from './kernel/index.ts';
import { createHttpListener, isLoopback, type PublicListener, withCrossOrigin } from './listeners/index.ts';

/** What serves the public port in the owner of the log and in every worker alike. */
export interface ServingParts {
  readonly config: ResolvedConfig;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Who is in which channel, over all processes. */
  readonly presence: PresenceList<ClientInfo>;
  /** How the edges reach those of the other processes; null if there are none. */
  readonly processes: OtherProcesses | null;
}

/** How a process takes its part of the connections. */
export interface PublicPort {
  readonly port: number;
  readonly sharing: 'alone' | 'shared';
  readonly ticketKeys: Buffer | undefined;
}

/** Who may do what, as the resources say. */
export function accessRules(specs: ResourceSpecs): AccessRules {
  return {
    keys: specs.of(KEY_KIND) as AccessRules['keys'],
    revoked: revokedBy(specs.of(REVOCATION_KIND).values()),
  };
}

/** Where requests go, as the resources say. */
export function gatewayRules(specs: ResourceSpecs): GatewayRules {
  return {
    routes: specs.of(ROUTE_KIND) as GatewayRules['routes'],
    upstreams: specs.of(UPSTREAM_KIND) as unknown as GatewayRules['upstreams'],
  };
}

/** What of a change of resources concerns the gateway. */
export function changedRules(
  changes: readonly { readonly kind: string; readonly name: string }[],
): ChangedRules {
  const namesOf = (kind: string): string[] =>
    changes.filter((change) => change.kind === kind).map(({ name }) => name);
  return { routes: namesOf(ROUTE_KIND), upstreams: namesOf(UPSTREAM_KIND) };
}

/** The list of those whom GRIP holds in a process; null if nobody is told of it. */
function attendanceOf({ listen: { zmq } }: ResolvedConfig): LocalAttendance | null {
  if (zmq === null) return null;
  const { statsPort, subPort, repPort } = zmq;
  if (statsPort !== null) return new LocalAttendance(systemRandom, 'everything');
  if (subPort !== null) return new LocalAttendance(systemRandom, 'subscriptions');
  return repPort === null ? null : new LocalAttendance(systemRandom, 'nothing');
}

/** The gateway of a process, by the rules of this moment. */
export function openGatewayOf(
  { config, hub, clock, limits, logger, metrics, presence }: ServingParts,
  specs: ResourceSpecs,
): Gateway {
  const gateway = new Gateway({
    clock,
    random: systemRandom,
    limits,
    logger,
    metrics,
    channels: hub,
    builtIn: BUILT_IN_PATHS,
    channelsPath: CHANNELS_PATH,
    attendance: attendanceOf(config),
    present: (channel, who) => presence.join(channel, { ...who, connInfo: null, chanInfo: null }),
  });
  gateway.adopt(gatewayRules(specs));
  return gateway;
}

/** Takes responses out of the caches of all processes, for the admin port. */
export function purgerOf(gateway: Gateway): Purger {
  return (request, credential) =>
    new Promise((resolve, reject) => {
      gateway.purge([request], credential, (outcome) => {
        if (outcome instanceof TidegateError) reject(outcome);
        else resolve(outcome);
      });
    });
}

/** What a process knows of those whom GRIP holds in it. */
export function gripProcessOf(hub: Hub, gateway: Gateway): GripProcess {
  const { attendance, holds } = gateway;
  return {
    count: (channel) => hub.count(channel),
    connected: (ids) => attendance?.connected(ids) ?? [],
    refresh: (target) => attendance?.refresh(target) ?? 'not_found',
    recover: () => holds.recover(),
  };
}

/**
 * @param line to the owner of the log; null in the owner itself
 * @throws TidegateError config_invalid, if a key or a file with keys cannot be read
 */
export function openGateOf(parts: ServingParts, rules: AccessRules, line: Line | null): Promise<Gate> {
  const { config, hub, logger } = parts;
  const isLocal = isLoopback(config.listen.host);
  return openGate({
    ...parts,
    line,
    channels: hub,
    access: config.access,
    rules,
    dataFolder: config.dataFolder,
    openWithoutCredentials: config.insecure || isLocal,
    weakSecrets: isLocal ? 'allowed' : 'refused',
    closed: () => {
      logger.warn({}, 'The first key is there: who shows no credential is refused from now on');
      hub.endAll('revoked');
    },
  });
}

/**
 * Opens the public port, behind which the edges are.
 * @throws TidegateError listen_failed, tls_file_unreadable, tls_certificate_invalid
 */
export async function openPublicPort(
  parts: ServingParts,
  gate: Gate,
  gateway: Gateway,
  { port, sharing, ticketKeys }: PublicPort,
): Promise<PublicListener> {
  const { config, hub, clock, limits, logger, metrics, presence, processes } = parts;
  const edges = createEdges({
    access: gate,
    channels: hub,
    clock,
    random: systemRandom,
    limits,
    metrics,
    websocket: config.websocket,
    version: await packageVersion(),
    presence,
    processes,
    purge: (purges, credential, done) =>
      gateway.purge(purges, credential, (outcome) => done(outcome instanceof TidegateError ? outcome : null)),
  });
  const { host, trustedProxies, trustedFields } = config.listen;
  return createHttpListener(
    {
      host,
      port,
      sharing,
      ticketKeys,
      tls: config.tls,
      trustedProxies,
      trustedFields,
      limits,
      clock,
      logger,
      metrics,
    },
    gateway.handler(withCrossOrigin(edges, config.cors)),
  );
}

/**
 * What the control ports of GRIP have in common, with those of ZeroMQ open, if there are to be any. To be called before anybody is served.
 * @param others whether there are workers
 * @param loadSockets is not called unless it is needed
 * @throws TidegateError listen_failed, zmq_missing
 */
export async function openGripControl(
  parts: ServingParts,
  gateway: Gateway,
  others: 'none' | 'workers',
  loadSockets: (logger: Logger) => Promise<MessageSockets>,
): Promise<GripControl> {
  const { config, hub, logger } = parts;
  const control = new GripControl({
    ...parts,
    own: gripProcessOf(hub, gateway),
    attendance: gateway.attendance,
    others,
    random: systemRandom,
  });
  const { zmq } = config.listen;
  // Who may publish there is who can reach it: ZeroMQ has nothing by which somebody could show who he is.
  if (zmq !== null) await control.openZmq(zmq, await loadSockets(logger), hub);
  return control;
}

/**
 * Opens the port on which origins publish by GRIP. They publish as whoever their credential stands for.
 * @throws TidegateError listen_failed
 */
export function openGripPort(
  { config, clock, limits, logger }: ServingParts,
  gate: Gate,
  gateway: Gateway,
  { publisher, processes }: GripControl,
  port: number,
): Promise<PublicListener> {
  const handler = createControlPort({
    publisher,
    limits,
    recover: () => processes.recover(),
    purge: (purges, credential, done) => gateway.purge(purges, credential, done),
    authorize(request, done) {
      try {
        const credential = credentialOf(request);
        if (credential === null) done(gate.channelsFor(withoutCredential(gate, request)));
        else
          gate.verify(credential, request.remoteAddress, (result) =>
            done(result instanceof TidegateError ? result : gate.channelsFor(result)),
          );
      } catch (error) {
        done(TidegateError.from(error));
      }
    },
  });
  // Its connections are counted beside those of the public port, and not as if they were its own.
  const { adminHost, trustedProxies, trustedFields } = config.listen;
  return createHttpListener(
    {
      host: adminHost,
      port,
      trustedProxies,
      trustedFields,
      limits,
      clock,
      logger,
      metrics: noMetrics,
    },
    handler,
  );
}
