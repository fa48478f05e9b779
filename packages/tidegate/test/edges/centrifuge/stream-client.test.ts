import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OwnConnections } from '../../../src/edges/centrifuge/own-connections.ts';
import { OwnerProcesses } from '../../../src/edges/centrifuge/owner-processes.ts';
import { StreamClient } from '../../../src/edges/centrifuge/stream-client.ts';
import { WorkerProcesses } from '../../../src/edges/centrifuge/worker-processes.ts';
import { type Limits, Liveness, resolveLimits } from '../../../src/kernel/index.ts';
import { clock, eachTestHasAHub } from '../../support/hub-fixture.ts';
import { linePair } from '../../support/line-pair.ts';
import { FakeTransport } from '../websocket/fakes.ts';
import { SessionLab } from './session-lab.ts';

eachTestHasAHub();

function open(
  transport: FakeTransport,
  limits: Partial<Limits> = {},
): { readonly client: StreamClient; readonly isGone: () => boolean } {
  const liveness = new Liveness({ clock, intervalMs: 1000, closeTimeoutMs: 1000 });
  const state = { gone: false };
  const { context } = new SessionLab({ limits });
  const unnamed = context.access.anonymous;
  const arrival = { from: '127.0.0.1', credential: '', unnamed, session: 's', node: 'n' };
  const client = new StreamClient(context, arrival, liveness, 'close', () => {
    state.gone = true;
  });
  client.open(transport);
  client.session.receive(Buffer.from('{"id":1,"connect":{}}'));
  return { client, isGone: () => state.gone };
}

describe('A client on a stream', () => {
  it('is told why it is disconnected, and then the stream ends', () => {
    const transport = new FakeTransport();
    const { client } = open(transport);
    client.draining();
    assert.equal(transport.state, 'ended');
  });

  it('is dropped if it does not read', () => {
    const transport = new FakeTransport();
    transport.room = false;
    const { client } = open(transport);
    client.draining();
    assert.equal(transport.state, 'destroyed');
  });

  it('is looked after until it is gone', () => {
    const transport = new FakeTransport();
    const { client, isGone } = open(transport);
    clock.advance(1100);
    clock.advance(1100);
    assert.equal(transport.state, 'ended');
    client.closed();
    assert.equal(isGone(), true);
    assert.equal(client.session.isOpen, false);
  });

  it('is dropped as slow if commands come faster than it reads, also over another process', () => {
    const transport = new FakeTransport();
    const { client } = open(transport, { centrifugeCommandBytesPendingMax: 1024 });
    const limits = resolveLimits();
    const { presence, clients } = new SessionLab().context;
    const own = new OwnConnections({ node: 'one', version: '1.2.3', clients, presence });
    own.streams.set('s', client);
    const line = linePair();
    const owner = new OwnerProcesses({ clock, limits });
    owner.serve(line.owner);
    new WorkerProcesses(line.worker, limits).attach(own);
    line.deliver();
    transport.room = false;
    const outcomes: unknown[] = [];
    const command = (id: number): object =>
      // The reply to the first one fills the transport, so that the others wait.
      id === 2
        ? { id, unsubscribe: { channel: 'none' } }
        : { id, publish: { channel: 'news', data: 'x'.repeat(400) } };
    for (let id = 2; id <= 5; id++) {
      const commands = Buffer.from(JSON.stringify(command(id)));
      owner.emulate('one', 's', commands, (outcome) => outcomes.push(outcome));
      line.deliver();
      assert.equal(transport.state, id < 5 ? 'open' : 'destroyed');
    }
    assert.deepEqual(outcomes, Array(4).fill('taken'));
  });
});
