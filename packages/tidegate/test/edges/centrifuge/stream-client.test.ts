import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StreamClient } from '../../../src/edges/centrifuge/stream-client.ts';
import { Liveness } from '../../../src/edges/liveness.ts';
import { clock, eachTestHasAHub } from '../../support/hub-fixture.ts';
import { FakeTransport } from '../websocket/fakes.ts';
import { SessionLab } from './session-lab.ts';

eachTestHasAHub();

function open(transport: FakeTransport): { readonly client: StreamClient; readonly isGone: () => boolean } {
  const liveness = new Liveness({ clock, intervalMs: 1000, closeTimeoutMs: 1000 });
  const state = { gone: false };
  const { context } = new SessionLab();
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
});
