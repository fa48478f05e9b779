import { removeScratchFolder, scratchFolder } from '../../support/scratch.ts';
import { TidegateProcess } from '../tidegate.ts';
import type { ProxyPeer } from './proxy-server.ts';

/** Tidegate with one route to the origin, in one process. */
export const tidegateProxy: ProxyPeer = {
  name: 'tidegate',
  missing: () => null,
  async start(originPort) {
    const folder = scratchFolder('gateway');
    const server = await TidegateProcess.start(folder, {
      settings: `upstreams:\n  origin: { targets: [{ url: 'http://127.0.0.1:${originPort}' }] }\nroutes:\n  all: { match: { path: '/*' }, upstream: origin }\n`,
    });
    return {
      name: 'tidegate',
      version: 'Tidegate, one process',
      port: server.port,
      pid: server.pid,
      async stop() {
        await server.stop();
        removeScratchFolder(folder);
      },
    };
  },
};
