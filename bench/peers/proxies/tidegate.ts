import { removeScratchFolder, scratchFolder } from '../../support/scratch.ts';
import { TidegateProcess } from '../tidegate.ts';
import type { ProxyPeer, ProxyServer, UpstreamProtocol } from './proxy-server.ts';

/** Tidegate in one process, with a configuration of its own folder. */
export interface TidegateProxy extends ProxyServer {
  readonly adminPort: number;
}

/** @param settings lines of the configuration, in YAML */
export async function startTidegateWith(name: string, settings: string): Promise<TidegateProxy> {
  const folder = scratchFolder('gateway');
  const server = await TidegateProcess.start(folder, { settings });
  return {
    name,
    version: 'Tidegate, one process',
    port: server.port,
    adminPort: server.adminPort,
    pid: server.pid,
    async stop() {
      await server.stop();
      removeScratchFolder(folder);
    },
  };
}

/** An upstream in YAML. */
export function upstreamLine(name: string, originPort: number, protocol: UpstreamProtocol = 'http1'): string {
  return `  ${name}: { protocol: ${protocol}, targets: [{ url: 'http://127.0.0.1:${originPort}' }] }\n`;
}

/** Tidegate with one route to the origin, in one process. */
export function tidegateProxy(protocol: UpstreamProtocol = 'http1'): ProxyPeer {
  const name = protocol === 'http1' ? 'tidegate' : 'tidegate-h2';
  return {
    name,
    upstream: protocol,
    missing: () => null,
    start: (originPort) =>
      startTidegateWith(
        name,
        `upstreams:\n${upstreamLine('origin', originPort, protocol)}routes:\n  all: { match: { path: '/*' }, upstream: origin }\n`,
      ),
  };
}
