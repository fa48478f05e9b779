import { createServer, type Server } from 'node:net';
import { type Clock, pause, TidegateError } from '../kernel/index.ts';

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

/**
 * Starts listening. Fails with `listen_failed`, whose detail names the address and the reason. With `shared`, other processes of the same user may
 * listen there too.
 */
export function listen(
  server: Server,
  host: string,
  port: number,
  sharing: 'alone' | 'shared' = 'alone',
): Promise<BoundAddress> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const reason = REASONS[error.code ?? ''] ?? error.message;
      reject(new TidegateError('listen_failed', `${hostAndPort(host, port)}: ${reason}.`, { cause: error }));
    };
    server.once('error', failed);
    server.listen({ host, port, backlog: 4096, reusePort: sharing === 'shared' }, () => {
      server.off('error', failed);
      const address = server.address();
      resolve({ host, port: typeof address === 'object' && address !== null ? address.port : port });
    });
  });
}

/** How long a port may stay taken: the processes of a server that was killed need a moment to notice. */
const FREED_WITHIN_MS = 2_000;
const FREED_LOOK_MS = 50;

/**
 * Fails as `listen` does if somebody listens there already. Who shares a port is let in beside any other program that does, and would get a part of
 * its connections.
 */
export async function assertFree(host: string, port: number, clock: Clock): Promise<void> {
  if (port === 0) return;
  const untilMs = clock.monotonicMs() + FREED_WITHIN_MS;
  for (;;) {
    const probe = createServer();
    try {
      await listen(probe, host, port);
      await new Promise((resolve) => probe.close(resolve));
      return;
    } catch (error) {
      const isTaken = (error as Error & { cause?: NodeJS.ErrnoException }).cause?.code === 'EADDRINUSE';
      if (!isTaken || clock.monotonicMs() >= untilMs) throw error;
    }
    await pause(FREED_LOOK_MS);
  }
}

/** An address as it appears in a URL. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
