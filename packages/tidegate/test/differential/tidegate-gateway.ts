import { importPushpinRoutes } from '../../src/gateway/pushpin-routes.ts';
import { freePorts } from '../support/ports.ts';
import { ServerProcess } from '../support/server-process.ts';
import type { Gateway } from './gateway.ts';

/** Tidegate as a process of its own, with the routes of a routes file of Pushpin. */
export async function startTidegate(routes: string): Promise<Gateway> {
  const [controlPort] = await freePorts(1);
  const imported = importPushpinRoutes(routes);
  if (imported.leftOut.length > 0)
    throw new Error(`lines were left out: ${JSON.stringify(imported.leftOut)}`);
  const config = {
    listen: { gripPort: controlPort },
    upstreams: Object.fromEntries(imported.routes.map(({ name, upstream }) => [name, upstream])),
    routes: Object.fromEntries(imported.routes.map(({ name, route }) => [name, route])),
  };
  // JSON is YAML.
  const server = await ServerProcess.start({ config: JSON.stringify(config) });
  return {
    port: server.port,
    controlPort,
    get output() {
      return server.output;
    },
    stop: () => server.remove(),
  };
}
