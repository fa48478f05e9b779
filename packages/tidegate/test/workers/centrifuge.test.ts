import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ServerProcess } from '../support/server-process.ts';
import { EventList, type ProcessClient, processesOf } from './processes.ts';

let server: ServerProcess;
let processes: readonly ProcessClient[];

before(async () => {
  server = await ServerProcess.start({ config: 'workers: 3' });
  processes = processesOf(server);
});

after(async () => {
  for (const client of processes) client.close();
  await server.remove();
});

type Reply = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A client whose stream one process has, and which sends its commands to others. */
class EmulatedClient {
  readonly #events: EventList;
  #id = 1;

  private constructor(events: EventList) {
    this.#events = events;
  }

  static async connect(at: ProcessClient): Promise<EmulatedClient> {
    const first = encodeURIComponent('{"id":1,"connect":{}}');
    const events = new EventList(await at.request('GET', `/connection/sse?cf_connect=${first}`));
    const client = new EmulatedClient(events);
    await events.until(1);
    return client;
  }

  get replies(): readonly Reply[] {
    return this.#events.data.flatMap((line) => line.split('\n')).map((line) => JSON.parse(line));
  }

  get id(): string {
    return String(this.replies[0].connect.client);
  }

  /** Sends a command by way of a process, and returns its reply. */
  async ask(by: ProcessClient, command: object): Promise<Reply> {
    const id = ++this.#id;
    const { session, node } = this.replies[0].connect;
    await by.post('/emulation', JSON.stringify({ session, node, data: JSON.stringify({ id, ...command }) }));
    await this.until((reply) => Number(reply.id) === id);
    return this.replies.find((reply) => Number(reply.id) === id)!;
  }

  async until(isIt: (reply: Reply) => boolean): Promise<void> {
    while (!this.replies.some(isIt)) await this.#events.until(this.replies.length + 1);
  }

  /** Until it has been told that a client has joined or left. */
  untilTold(event: 'join' | 'leave', { id }: EmulatedClient): Promise<void> {
    return this.until(({ push }) => (push?.[event] as Reply | undefined)?.info.client === id);
  }

  close(): void {
    this.#events.close();
  }
}

async function call(at: ProcessClient, method: string, params: object): Promise<Reply> {
  return JSON.parse(await at.post(`/api/${method}`, JSON.stringify(params))).result;
}

test('clients of all processes take commands by any of them, see each other, and learn when the process of one dies', async () => {
  const clients = await Promise.all(processes.map((process) => EmulatedClient.connect(process)));
  for (const [index, client] of clients.entries()) {
    for (const by of processes) {
      const channel = by.pid === processes[0].pid ? 'room' : `own/${index}/${by.pid}`;
      const { subscribe } = await client.ask(by, { subscribe: { channel, join_leave: true } });
      assert.ok(subscribe, channel);
    }
  }
  // Each is told of itself and of those that came later.
  for (const [index, client] of clients.entries())
    for (const other of clients.slice(index)) await client.untilTold('join', other);
  for (const process of processes) {
    assert.deepEqual(await call(process, 'presence_stats', { channel: 'room' }), {
      num_clients: 3,
      num_users: 1,
    });
    const { nodes } = (await call(process, 'info', {})) as unknown as { readonly nodes: readonly Reply[] };
    assert.deepEqual(
      nodes.map(({ num_clients, num_subs }) => [num_clients, num_subs]),
      Array(3).fill([1, 3]),
    );
  }
  const [owner, survivor, doomed] = clients;
  process.kill(processes[2].pid, 'SIGKILL');
  await owner.untilTold('leave', doomed);
  await survivor.untilTold('leave', doomed);
  const { presence } = await call(processes[1], 'presence', { channel: 'room' });
  assert.deepEqual(Object.keys(presence).toSorted(), [owner.id, survivor.id].toSorted());
  assert.deepEqual(await call(processes[1], 'disconnect', { user: '' }), {});
  for (const client of [owner, survivor])
    await client.until(({ push }) => (push?.disconnect as { code?: number } | undefined)?.code === 3503);
  for (const client of clients) client.close();
});
