import { once } from 'node:events';
import { createServer } from 'node:net';

// Below the range from which systems take the ports of outgoing connections (32768 on Linux, 49152 elsewhere): a port
// that a killed server leaves for a moment is not taken by a client meanwhile, so that it can be listened on again.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS_MAX = 100;

/** Ports of loopback that nobody listens on now, chosen at random so that tests that run side by side do not meet. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt === ATTEMPTS_MAX) throw new Error(`no ${count} free ports found in ${ATTEMPTS_MAX} attempts`);
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
