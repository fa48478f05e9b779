import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GripPublisher } from '../../../src/gateway/grip/grip-publisher.ts';
import { LocalAttendance } from '../../../src/gateway/grip-attendance/local-attendance.ts';
import { TotalAttendance } from '../../../src/gateway/grip-attendance/total-attendance.ts';
import { ZmqPorts, type ZmqPortsSettings } from '../../../src/gateway/grip-zmq/zmq-ports.ts';
import {
  type BoundSocket,
  type MessageSockets,
  noMetrics,
  type PublishOptions,
  type ReceiveOptions,
  type ReplyOptions,
  resolveLimits,
  type SocketOptions,
  seededRandom,
  silentLogger,
  TidegateError,
} from '../../../src/kernel/index.ts';
import { decodeTnetstring, encodeTnetstring } from '../../../src/wire/grip/index.ts';
import { clock, eachTestHasAHub, hub } from '../../support/hub-fixture.ts';
import { TestSubscriber } from '../../support/test-hub.ts';
import { streamItem } from '../grip/items.ts';
import { arrival } from '../grip-attendance/roll.ts';

eachTestHasAHub();

const NONE: ZmqPortsSettings = {
  host: '127.0.0.1',
  pullPort: null,
  subPort: null,
  repPort: null,
  statsPort: null,
  statsFormat: 'json',
};
const ALL = { ...NONE, pullPort: 1, subPort: 2, repPort: 3, statsPort: 4 };

/** Sockets that write down what they are told. One of a taken port fails. */
class WrittenSockets implements MessageSockets {
  readonly lines: string[] = [];
  readonly options = new Map<string, SocketOptions>();
  readonly takenPort: number;

  constructor(takenPort = 0) {
    this.takenPort = takenPort;
  }

  async pull(options: ReceiveOptions): Promise<BoundSocket> {
    return this.#bind('pull', options);
  }

  async subscriber(options: ReceiveOptions) {
    return {
      ...this.#bind('sub', options),
      subscribe: (prefix: string) => void this.lines.push(`+${prefix}`),
      unsubscribe: (prefix: string) => void this.lines.push(`-${prefix}`),
    };
  }

  async replier(options: ReplyOptions): Promise<BoundSocket> {
    return this.#bind('rep', options);
  }

  async publisher(options: PublishOptions) {
    return {
      ...this.#bind('stats', options),
      send: (frame: Uint8Array) => {
        this.lines.push(String(frame).replace(/ J.*/, ''));
        return true;
      },
    };
  }

  receive(name: 'pull' | 'sub', ...frames: string[]): void {
    const { take } = this.options.get(name) as ReceiveOptions;
    take(
      frames.map((frame) => Buffer.from(frame)),
      () => this.lines.push(`${name} done`),
    );
  }

  #bind(name: string, options: SocketOptions): BoundSocket {
    if (options.port === this.takenPort) throw new TidegateError('listen_failed', `port ${options.port}`);
    this.options.set(name, options);
    return { port: options.port, close: () => void this.lines.push(`${name} closed`) };
  }
}

function open(settings: ZmqPortsSettings, sockets = new WrittenSockets()) {
  const attendance = new TotalAttendance();
  const local = new LocalAttendance(seededRandom(1));
  local.tell(attendance.source());
  const limits = resolveLimits({
    gripFrameBytesMax: 5_000,
    gripZmqPendingMax: 7,
    gripZmqPendingBytesMax: 8,
    gripZmqQueuedMax: 9,
  });
  const publisher = new GripPublisher({ receivers: hub, clock, limits, metrics: noMetrics });
  const processes = { connected() {}, refresh() {}, recover() {} };
  const opened = ZmqPorts.open({
    settings,
    sockets,
    publisher,
    publishAs: hub,
    processes,
    attendance,
    clock,
    random: seededRandom(2),
    limits,
    logger: silentLogger,
    metrics: noMetrics,
  });
  return { opened, sockets, local };
}

test('there are those sockets only that are configured, and each keeps to the limits', async () => {
  const { opened, sockets } = open({ ...NONE, pullPort: 1, repPort: 3 });
  const ports = await opened;
  assert.deepEqual([...sockets.options.keys()], ['pull', 'rep']);
  assert.deepEqual([ports.portOf('pullPort'), ports.portOf('subPort')], [1, null]);
  const rep = sockets.options.get('rep') as ReplyOptions;
  const { host, port, frameBytesMax, pendingMax, pendingBytesMax, queuedMax } = rep;
  assert.deepEqual([host, port, frameBytesMax], ['127.0.0.1', 3, 5_000]);
  assert.deepEqual([pendingMax, pendingBytesMax, queuedMax], [7, 8, 9]);
  ports.close();
});

test('if one cannot be opened, the others are closed', async () => {
  const { opened, sockets } = open(ALL, new WrittenSockets(3));
  await assert.rejects(opened, /port 3/);
  assert.deepEqual(sockets.lines.toSorted(), ['pull closed', 'stats closed', 'sub closed']);
});

test('items are published once, with what is wrong taking nobody in', async () => {
  const { opened, sockets } = open({ ...NONE, pullPort: 1, subPort: 2 });
  const ports = await opened;
  const subscriber = new TestSubscriber(hub, 'a');
  await clock.settle();
  sockets.receive('pull', 'J{"channel":"a","ws-message":{"content":"pulled"}}');
  sockets.receive('pull', 'J{"channel":"a","ws-message":{"content":"pulled"}}', 'another frame');
  sockets.receive('pull', 'Jnonsense');
  sockets.receive('sub', 'a', 'J{"channel":"ignored","ws-message":{"content":"published"}}');
  sockets.receive('sub', 'J{"channel":"a","ws-message":{"content":"published"}}');
  sockets.receive('sub', '', 'J{"ws-message":{"content":"published"}}');
  sockets.receive('sub', '_resources', 'J{"ws-message":{"content":"published"}}');
  await clock.settle();
  assert.deepEqual(subscriber.data, ['pulled', 'published']);
  // Nothing stays under way, whatever became of it.
  assert.equal(sockets.lines.filter((line) => line.endsWith('done')).length, 7);
  ports.close();
});

test('SUB follows the channels of those who are held, and statistics tell of them', async () => {
  const { opened, sockets, local } = open(ALL);
  const ports = await opened;
  const one = local.arrive(arrival('stream', 'one'));
  one.join('a');
  ports.published(streamItem('a', 'x'));
  one.leave();
  assert.deepEqual(sockets.lines.splice(0), ['conn', 'sub', '+a', 'message', 'sub', '-a', 'conn']);
  ports.close();
  assert.equal(sockets.lines.filter((line) => line.endsWith('closed')).length, 4);
});

test('without statistics nothing is told', async () => {
  const { opened, sockets, local } = open({ ...NONE, subPort: 2 });
  const ports = await opened;
  local.arrive(arrival('stream', 'one')).join('a');
  ports.published(streamItem('a', 'x'));
  assert.deepEqual(sockets.lines, ['+a']);
  ports.close();
});

test('get-zmq-uris names the addresses as they are connected to', async () => {
  const { opened, sockets } = open({ ...ALL, host: '::1' });
  const ports = await opened;
  const { reply } = sockets.options.get('rep') as ReplyOptions;
  let answer = Buffer.alloc(0);
  reply([encodeTnetstring({ method: 'get-zmq-uris' })], (told) => {
    answer = told as typeof answer;
  });
  const { value } = decodeTnetstring(answer, resolveLimits()) as unknown as { value: Record<string, Buffer> };
  assert.deepEqual(
    Object.entries(value).map(([name, uri]) => [name, String(uri)]),
    [
      ['command', 'tcp://[::1]:3'],
      ['publish-pull', 'tcp://[::1]:1'],
      ['publish-sub', 'tcp://[::1]:2'],
    ],
  );
  ports.close();
});
