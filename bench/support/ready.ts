import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 4;

/**
 * Waits until `GET /readyz` answers 200. Asks over bare sockets: an HTTP client would take processor time from the server
 * whose start is measured.
 */
export async function untilReady(adminPort: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isReady(adminPort))) {
    if (performance.now() > deadline) throw new Error(`the server is not ready after ${timeoutMs} ms`);
    await delay(PAUSE_MS);
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () =>
      socket.write('GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'),
    );
    socket.once('data', (answer) => {
      resolve(answer.toString('latin1').startsWith('HTTP/1.1 200'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
