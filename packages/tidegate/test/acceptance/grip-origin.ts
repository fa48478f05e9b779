import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { freePorts } from '../support/ports.ts';
import { ServerProcess } from '../support/server-process.ts';

/** The secret that the gateway signs with, and applications check. */
export const KEY = 'changeme';

/** An application behind a gateway of two workers. */
export interface GripOrigin {
  readonly server: ServerProcess;
  /** Where the application publishes. */
  readonly gripUrl: string;
}

/**
 * Puts an application behind a gateway: WebSockets to `/socket` come to it as requests. Both are gone at the end of the test.
 * @param makeApplication is told where to publish
 */
export async function behindGateway(
  t: TestContext,
  makeApplication: (gripUrl: string) => RequestListener,
): Promise<GripOrigin> {
  const [gripPort] = await freePorts(1);
  const gripUrl = `http://127.0.0.1:${gripPort}/`;
  const origin = createServer(makeApplication(gripUrl));
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const server = await ServerProcess.start({
    config: `
listen: { gripPort: ${gripPort} }
workers: 2
upstreams:
  app: { targets: [{ url: 'http://127.0.0.1:${(origin.address() as AddressInfo).port}' }] }
routes:
  all: { match: { path: '/*' }, upstream: app, grip: { key: ${KEY} } }
  socket: { match: { path: /socket }, upstream: app, grip: { key: ${KEY}, websocket: over_http } }
`,
  });
  t.after(() => server.remove());
  return { server, gripUrl };
}
