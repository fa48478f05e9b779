import { getRequest, numberedPayload } from '../support/payload.ts';
import { startNchan } from './nchan.ts';
import type { ResumableServer } from './resumable.ts';

/**
 * Nchan on a channel that keeps its history in memory. Only one channel: 5,000 with a thousand messages each do not fit into
 * its shared memory. Only SSE: its WebSocket subscribers resume by a subprotocol of its own.
 */
export async function resumableNchan(workers: number): Promise<ResumableServer> {
  const server = await startNchan(workers);
  const url = `http://127.0.0.1:${server.subscribePort}/history/publish`;
  let position = '';

  /** Publishes one message. Its position, which is the SSE id. */
  async function publish(sequence: number): Promise<string> {
    const headers = { Accept: 'application/json', 'Content-Type': 'text/plain' };
    const response = await fetch(url, { method: 'POST', headers, body: numberedPayload(sequence) });
    if (!response.ok) throw new Error(`Nchan refused a message: ${response.status}`);
    return ((await response.json()) as { last_message_id: string }).last_message_id;
  }

  return {
    name: server.name,
    version: server.version,
    durability: server.durability,
    pid: server.pid,
    port: server.subscribePort,
    spreads: ['one channel'],
    protocols: ['sse'],
    async fill(_spread, _subscribers, behind) {
      position = await publish(0);
      for (let sequence = 0; sequence < behind; sequence++) await publish(sequence);
    },
    requests: () => [
      getRequest('/history/subscribe', { Accept: 'text/event-stream', 'Last-Event-ID': position }),
    ],
    async publishNext(sequence) {
      await publish(sequence);
    },
    stop: () => server.stop(),
  };
}
