import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp, type Figures, type GatewayUrls } from './app.ts';

export interface Origin {
  readonly url: string;
  readonly figures: Readonly<Figures>;
  close(): Promise<void>;
}

/**
 * Serves the app on loopback.
 * @param port 0 takes any free port
 * @param figures to go on counting after a restart
 */
export async function startOrigin(
  port: number,
  gateway: GatewayUrls,
  figures: Figures = { asked: 0, counted: 0 },
): Promise<Origin> {
  const server = createServer(createApp(gateway, figures));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    figures,
    close: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
