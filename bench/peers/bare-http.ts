import { join } from 'node:path';
import type { Certificate } from '../support/certificate.ts';
import { Child } from '../support/child.ts';
import { blankPayload, postRequest } from '../support/payload.ts';
import { freePorts, portOpen } from '../support/ports.ts';
import type { WayIn } from '../support/publisher.ts';

/** A `node:http` server that does nothing: the bound for single requests. */
export class BareHttpServer {
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** @param certificate makes it `node:https` */
  static async start(certificate?: Certificate): Promise<BareHttpServer> {
    const [port] = (await freePorts(1)) as [number];
    const child = new Child('bare node:http', process.execPath, [
      join(import.meta.dirname, 'bare-http-server.ts'),
      `${port}`,
      ...(certificate === undefined ? [] : [certificate.certificateFile, certificate.keyFile]),
    ]);
    await child.during(portOpen(port));
    return new BareHttpServer(child, port);
  }

  get pid(): number {
    return this.#child.pid;
  }

  singlePosts(connections: number, payloadBytes = 100): WayIn {
    const unit = postRequest('/', blankPayload(payloadBytes), { 'Content-Type': 'text/plain' });
    return {
      label: `single POSTs x ${connections}`,
      port: this.port,
      connections,
      unit,
      answers: 'response',
    };
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}
