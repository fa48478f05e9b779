import type { Server } from 'node:net';
import { TidegateError } from '../kernel/index.ts';

/** The address that a server got. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

const REASONS: Readonly<Record<string, string | undefined>> = {
  EADDRINUSE: 'another program uses it',
  EACCES: 'this user may not use the port',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'no address is known for the name',
};

/** Starts listening. Fails with `listen_failed`, whose detail names the address and the reason. */
export function listen(server: Server, host: string, port: number): Promise<BoundAddress> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const reason = REASONS[error.code ?? ''] ?? error.message;
      reject(new TidegateError('listen_failed', `${hostAndPort(host, port)}: ${reason}.`, { cause: error }));
    };
    server.once('error', failed);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off('error', failed);
      const address = server.address();
      resolve({ host, port: typeof address === 'object' && address !== null ? address.port : port });
    });
  });
}

/** An address as it appears in a URL. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
