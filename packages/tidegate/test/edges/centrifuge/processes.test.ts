import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientAction } from '../../../src/edges/centrifuge/client-action.ts';
import { OwnerProcesses } from '../../../src/edges/centrifuge/owner-processes.ts';
import type {
  NodeDescription,
  OtherProcesses,
  ProcessConnections,
} from '../../../src/edges/centrifuge/processes.ts';
import { PLAIN_OPTIONS } from '../../../src/edges/centrifuge/subscribe-options.ts';
import { WorkerProcesses } from '../../../src/edges/centrifuge/worker-processes.ts';
import { type Limits, resolveLimits, TidegateError } from '../../../src/kernel/index.ts';
import { type LinePair, linePair } from '../../support/line-pair.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** The connections of a process that has one stream, and keeps what it is told. */
class FakeConnections implements ProcessConnections {
  readonly node: string;
  readonly acted: ClientAction[] = [];
  readonly commands: string[] = [];

  constructor(node: string) {
    this.node = node;
  }

  act(action: ClientAction, done: () => void): void {
    this.acted.push(action);
    done();
  }

  describe(): NodeDescription {
    const none = { num_clients: 0, num_users: 0, num_subs: 0, num_channels: 0 };
    return { uid: this.node, name: 'tidegate', version: '1.2.3', ...none };
  }

  emulate(session: string, commands: Buffer): boolean {
    if (session !== `session of ${this.node}`) return false;
    this.commands.push(commands.toString());
    return true;
  }
}

/** An owner and two workers, with what each takes for the others. */
class Server {
  readonly clock = new ManualClock();
  readonly lines: readonly LinePair[] = [linePair(1), linePair(2)];
  readonly own = ['owner', 'one', 'two'].map((node) => new FakeConnections(node));
  readonly processes: readonly OtherProcesses[];

  constructor(limits: Partial<Limits> = {}) {
    const resolved = resolveLimits(limits);
    const owner = new OwnerProcesses({ clock: this.clock, limits: resolved });
    for (const { owner: end } of this.lines) owner.serve(end);
    const workers = this.lines.map(({ worker }) => new WorkerProcesses(worker, resolved));
    this.processes = [owner, ...workers];
    for (const [index, processes] of this.processes.entries()) processes.attach(this.own[index]);
    this.settle();
  }

  settle(): void {
    for (let i = 0; i < 3; i++) for (const line of this.lines) line.deliver();
  }

  /** Hands over commands for the stream of a process, and keeps what comes of it. */
  emulate(from: number, node: string, commands: string, session = `session of ${node}`): unknown[] {
    const outcomes: unknown[] = [];
    this.processes[from].emulate(node, session, Buffer.from(commands), (outcome) =>
      outcomes.push(outcome instanceof TidegateError ? outcome.code : outcome),
    );
    return outcomes;
  }

  /** Asks a process for the others, and keeps what it is told. */
  describe(from: number): string[][] {
    const told: string[][] = [];
    this.processes[from].describe((nodes) => told.push(nodes.map(({ uid }) => uid)));
    return told;
  }
}

const ACTION: ClientAction = {
  user: 'alice',
  client: '',
  deed: 'subscribe',
  channel: 'room',
  options: { ...PLAIN_OPTIONS, info: { kind: 'binary', bytes: Buffer.of(0, 255) } },
};

describe('The other processes of a server', () => {
  it('all act once, whoever asks, before it is answered', () => {
    for (const from of [0, 1, 2]) {
      const server = new Server();
      let answers = 0;
      server.processes[from].act(ACTION, () => {
        answers++;
        for (const [index, { acted }] of server.own.entries())
          assert.deepEqual(acted, index === from ? [] : [ACTION]);
      });
      assert.equal(answers, 0);
      server.settle();
      assert.equal(answers, 1);
    }
  });

  it('all describe themselves', () => {
    const server = new Server();
    const told = [0, 1, 2].map((from) => server.describe(from));
    server.settle();
    assert.deepEqual(told, [[['one', 'two']], [['owner', 'two']], [['owner', 'one']]]);
  });

  it('are left out if they do not answer within limits.workerAnswerTimeoutMs', () => {
    const server = new Server({ workerAnswerTimeoutMs: 100 });
    const [one, two] = server.lines;
    const byOwner = server.describe(0);
    two.deliver();
    assert.deepEqual(byOwner, []);
    server.clock.advance(99);
    assert.deepEqual(byOwner, []);
    server.clock.advance(1);
    assert.deepEqual(byOwner, [['two']]);
    // What comes later changes nothing.
    one.deliver();
    assert.equal(byOwner.length, 1);
    const byWorker = server.describe(1);
    one.deliver();
    server.clock.advance(100);
    one.deliver();
    assert.deepEqual(byWorker, [['owner']]);
  });

  it('are left out if they end meanwhile, and afterwards', () => {
    const server = new Server();
    const [one, two] = server.lines;
    const told = server.describe(0);
    one.deliver();
    two.close();
    assert.deepEqual(told, [['one']]);
    const later = server.describe(0);
    one.deliver();
    assert.deepEqual(later, [['one']]);
  });

  it('are none before they have said who they are', () => {
    const processes = new OwnerProcesses({ clock: new ManualClock(), limits: resolveLimits() });
    processes.serve(linePair().owner);
    const told: unknown[] = [];
    processes.describe((nodes) => told.push(nodes));
    assert.deepEqual(told, [[]]);
  });
});

describe('Commands for a stream of another process', () => {
  it('are handed over in order, and answered once they are', () => {
    for (const [from, to] of [
      [0, 1],
      [1, 0],
      [1, 2],
    ]) {
      const server = new Server();
      const { node, commands } = server.own[to];
      const outcomes = ['a', 'b', 'c'].map((text) => server.emulate(from, node, text));
      assert.deepEqual(outcomes, [[], [], []]);
      server.settle();
      assert.deepEqual(outcomes, [['taken'], ['taken'], ['taken']]);
      assert.deepEqual(commands, ['a', 'b', 'c']);
    }
  });

  it('are unknown if there is no such process, no such session, or the process ends meanwhile', () => {
    const server = new Server();
    for (const from of [0, 1]) {
      const outcomes = [server.emulate(from, 'nobody', 'a'), server.emulate(from, 'two', 'a', 'other')];
      server.settle();
      assert.deepEqual(outcomes, [['unknown_session'], ['unknown_session']]);
    }
    const [one, two] = server.lines;
    const outcomes = [server.emulate(0, 'two', 'a'), server.emulate(1, 'two', 'a')];
    one.deliver();
    two.close();
    server.settle();
    assert.deepEqual(outcomes, [['unknown_session'], ['unknown_session']]);
    assert.deepEqual(server.own[2].commands, []);
  });

  it('are refused beyond limits.centrifugeForwardedBytesMax until earlier ones are taken, one alone excepted', () => {
    const server = new Server({ centrifugeForwardedBytesMax: 1024 });
    for (const from of [0, 1]) {
      const half = server.emulate(from, 'two', 'x'.repeat(1000));
      assert.deepEqual(server.emulate(from, 'two', 'y'.repeat(100)), ['worker_overloaded']);
      const last = server.emulate(from, 'two', 'z'.repeat(24));
      server.settle();
      assert.deepEqual([half, last], [['taken'], ['taken']]);
      const alone = server.emulate(from, 'two', 'x'.repeat(5000));
      server.settle();
      assert.deepEqual(alone, ['taken']);
    }
    assert.deepEqual(
      server.own[2].commands.map(({ length }) => length),
      [1000, 24, 5000, 1000, 24, 5000],
    );
  });

  it('fail if the owner is gone', () => {
    const server = new Server();
    const outcomes = server.emulate(1, 'two', 'a');
    server.lines[0].close();
    assert.deepEqual(outcomes, ['worker_unavailable']);
  });
});
