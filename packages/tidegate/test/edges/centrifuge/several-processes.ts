import { type Channels, PresenceRegistry, RemotePresence } from '../../../src/channels/index.ts';
import {
  CLIENT_INFO_FORM,
  type ClientInfo,
  type EdgesOptions,
  OwnerProcesses,
  serveEdges,
  WorkerProcesses,
} from '../../../src/edges/index.ts';
import { resolveLimits, systemClock } from '../../../src/kernel/index.ts';
import { type LinePair, linePair } from '../../support/line-pair.ts';
import { type EdgeServer, startEdgeServer } from '../edge-server.ts';

/** Servers that are to each other as an owner, which is the first one, and its workers. */
export interface SeveralProcesses {
  readonly servers: readonly EdgeServer[];
  readonly lines: readonly LinePair[];
  close(): Promise<void>;
}

/** How often lines deliver what is under way. */
const DELIVERY_INTERVAL_MS = 1;

export async function startProcesses(
  workers: number,
  access: (channels: Channels) => EdgesOptions['access'],
): Promise<SeveralProcesses> {
  const limits = resolveLimits();
  const presence = new PresenceRegistry<ClientInfo>(limits);
  const processes = new OwnerProcesses({ clock: systemClock, limits });
  const owner = await startEdgeServer({ access, presence, processes });
  const servers = [owner];
  const lines: LinePair[] = [];
  for (let number = 1; number <= workers; number++) {
    const line = linePair(number);
    serveEdges(line.owner, { presence, processes });
    const worker = await startEdgeServer({
      access,
      beside: owner,
      presence: new RemotePresence(line.worker, CLIENT_INFO_FORM, limits),
      processes: new WorkerProcesses(line.worker, limits),
      seed: 100 + number,
    });
    servers.push(worker);
    lines.push(line);
  }
  const timer = setInterval(() => {
    for (const line of lines) line.deliver();
  }, DELIVERY_INTERVAL_MS);
  return {
    servers,
    lines,
    async close() {
      for (const server of servers.toReversed()) await server.close();
      clearInterval(timer);
    },
  };
}
