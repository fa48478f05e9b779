import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { RouteOptions } from '../../../src/gateway/options.ts';
import type { Limits } from '../../../src/kernel/index.ts';
import { until } from '../../listeners/lab.ts';
import { type GatewayLab, openGatewayLab } from '../lab.ts';

/** A request as the origin got it. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A gateway of one route before an origin that answers as the test says. */
export interface PageLab extends GatewayLab {
  readonly asked: readonly Asked[];
  ask(method: string, path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Waits until so many are subscribed to a channel. */
  subscribed(channel: string, count?: number): Promise<void>;
}

export async function openPageLab(
  t: TestContext,
  route: Partial<RouteOptions>,
  answer: (response: ServerResponse, asked: Asked) => void,
  limits: Partial<Limits> = {},
): Promise<PageLab> {
  const asked: Asked[] = [];
  const origin = createServer(async (incoming: IncomingMessage, response) => {
    let body = '';
    for await (const part of incoming) body += String(part);
    const { method = '', url = '', headers } = incoming;
    asked.push({ method, url, headers, body });
    answer(response, asked[asked.length - 1]);
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const lab = await openGatewayLab(t, {
    routes: { app: { match: { path: '/*' }, upstream: 'app', ...route } },
    upstreams: { app: { targets: [{ url: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` }] } },
    limits,
  });
  const ask: PageLab['ask'] = async (method, path, headers = {}) => {
    const sent = request({ host: '127.0.0.1', port: lab.listener.port, method, path, headers, agent: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString('utf8');
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  };
  const subscribed: PageLab['subscribed'] = (channel, count = 1) =>
    until(
      () => lab.hub.count(channel) === count,
      () => `${count} subscribers of ${channel}`,
    );
  return {
    ...lab,
    asked,
    ask,
    get: (path, headers) => ask('GET', path, headers),
    subscribed,
  };
}
