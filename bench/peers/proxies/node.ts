import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Child } from '../../support/child.ts';
import { freePorts, portOpen } from '../../support/ports.ts';
import type { ProxyPeer, UpstreamProtocol } from './proxy-server.ts';

const require = createRequire(import.meta.url);

function versionOf(name: string): string | null {
  try {
    const file = require.resolve(`${name}/package.json`);
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  } catch {
    return null;
  }
}

/** A proxy made of an npm package, in a Node process of its own. */
export function nodeProxy(
  kind: 'http-proxy' | '@fastify/http-proxy',
  upstream: UpstreamProtocol = 'http1',
): ProxyPeer {
  const name = upstream === 'http1' ? kind : `${kind}-h2`;
  return {
    name,
    upstream,
    missing: () => (versionOf(kind) === null ? 'npm install' : null),
    async start(originPort) {
      const [port] = (await freePorts(1)) as [number];
      const child = new Child(name, process.execPath, [
        join(import.meta.dirname, 'node-proxy.ts'),
        ...[kind, `${port}`, `${originPort}`, upstream],
      ]);
      await child.during(portOpen(port));
      return { name, version: `${name} ${versionOf(kind)}`, port, pid: child.pid, stop: () => child.stop() };
    },
  };
}
