import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TidegateError } from '../../../src/kernel/index.ts';
import { OverHttpStage } from './over-http-stage.ts';
import { texts } from './scripted-origin.ts';

describe('Opening a WebSocket over HTTP', () => {
  it('asks with OPEN, saying what the handshake said and nothing that the client could only pretend', () => {
    const { origin } = new OverHttpStage();
    const { request } = origin.last;
    assert.equal(origin.last.body, 'OPEN\r\n');
    assert.equal(request.method, 'POST');
    assert.equal(request.target, '/chat?room=7');
    assert.equal(request.upgrade, null);
    assert.equal(request.bodyBytes, 6);
    assert.deepEqual(request.fields.slice(0, 4), ['Host', 'origin.example', 'Cookie', 'a=b']);
    assert.equal(origin.last.field('content-type'), 'application/websocket-events');
    assert.equal(origin.last.field('accept'), 'application/websocket-events');
    assert.equal(origin.last.field('sec-websocket-extensions'), 'grip');
    assert.equal(origin.last.field('sec-websocket-protocol'), 'chat');
    assert.match(origin.last.field('connection-id') ?? '', /^[A-Za-z0-9]{24}$/);
    assert.equal(origin.last.field('grip-sig'), 'signature-0');
    for (const name of ['meta-user', 'sec-websocket-key', 'sec-websocket-version', 'accept-encoding']) {
      assert.equal(origin.last.field(name), undefined, name);
    }
    assert.equal(origin.last.field('content-bytes-replayed'), undefined);
    assert.equal(request.fields.includes('forged'), false);
  });

  it('is accepted by OPEN, and tells what follows it once somebody listens', () => {
    const stage = new OverHttpStage();
    stage.origin.last.answer({ body: `OPEN\r\n${texts('welcome')}`, fields: ['Set-Cookie', 'c=d'] });
    assert.deepEqual(stage.openings, [
      { kind: 'accepted', fields: ['Content-Type', 'application/websocket-events', 'Set-Cookie', 'c=d'] },
    ]);
    assert.deepEqual(stage.told, []);
    stage.socket.open(stage);
    assert.deepEqual(stage.told, ['text welcome']);
    assert.equal(stage.origin.count, 1);
  });

  it('is accepted by an answer without events that asks to be asked', () => {
    const stage = new OverHttpStage();
    stage.origin.last.answer({ fields: ['Keep-Alive-Interval', '30'] });
    assert.equal(stage.opening, 'accepted');
  });

  it('takes parameters behind the type', () => {
    const stage = new OverHttpStage();
    stage.origin.last.answer({ body: 'OPEN\r\n', type: 'Application/WebSocket-Events; charset=utf-8' });
    assert.equal(stage.opening, 'accepted');
  });

  it('is rejected by any other status, or any other type', () => {
    for (const answer of [{ status: 403 }, { type: 'text/plain' }, { type: null }, { status: 204 }]) {
      const stage = new OverHttpStage();
      stage.origin.last.answer({ body: 'OPEN\r\n', ...answer });
      assert.equal(stage.opening, 'rejected', JSON.stringify(answer));
    }
  });

  it('fails if the answer says neither', () => {
    for (const answer of [
      {},
      { fields: ['Keep-Alive-Interval', '0'] },
      { body: texts('too early') },
      { body: 'OPEN\r\nNONSENSE' },
      { body: 'OPEN\r\n', fields: ['Keep-Alive-Interval', 'soon'] },
      { body: 'OPEN\r\n', fields: ['Content-Bytes-Accepted', '-1'] },
    ]) {
      const stage = new OverHttpStage();
      stage.origin.last.answer(answer);
      const [opening] = stage.openings;
      assert.ok(opening.kind === 'failed', JSON.stringify(answer));
      assert.equal(opening.error.code, 'grip_instruct_invalid');
      assert.equal(stage.origin.count, 1);
    }
  });

  it('fails if the answer is larger than the limit, whether it says so or not', () => {
    const body = `OPEN\r\n${texts('x'.repeat(1024))}`;
    for (const length of ['known', 'unknown'] as const) {
      const stage = new OverHttpStage({ webSocketEventsBytesMax: 1024 });
      stage.origin.last.answer({ body, length });
      const [opening] = stage.openings;
      assert.ok(opening.kind === 'failed');
      assert.equal(opening.error.code, 'upstream_malformed');
      assert.equal(stage.origin.last.isAborted, true);
      const roomy = new OverHttpStage({ webSocketEventsBytesMax: 2048 });
      roomy.origin.last.answer({ body, length });
      assert.equal(roomy.opening, 'accepted');
    }
  });

  it('does not take a body that is announced as too large', () => {
    const stage = new OverHttpStage({ webSocketEventsBytesMax: 1024 });
    stage.origin.last.announce(1025);
    assert.equal(stage.opening, 'failed');
    assert.equal(stage.origin.last.isAborted, true);
  });

  it('tries again while the origin is not reached, with longer pauses, and then fails', () => {
    const stage = new OverHttpStage({ gripSocketRetriesMax: 5, gripSocketRetryDelayMs: 100 });
    for (let attempt = 1; attempt <= 5; attempt++) {
      const before = stage.origin.last;
      before.fail('upstream_unreachable', 'nothing');
      stage.clock.advance(100 * 2 ** (attempt - 1) - 1);
      assert.equal(stage.origin.count, attempt);
      // The jitter, and the sweeps.
      stage.clock.advance(50 * 2 ** (attempt - 1) + 30);
      assert.equal(stage.origin.count, attempt + 1);
      assert.equal(stage.origin.last.body, 'OPEN\r\n');
      assert.equal(stage.opening, null);
    }
    stage.origin.last.fail('upstream_unreachable', 'nothing');
    assert.equal(stage.opening, 'failed');
    stage.clock.advance(60_000);
    assert.equal(stage.origin.count, 6);
    assert.equal(stage.clock.pendingTimers, 0);
  });

  it('does not try again what the origin may have acted on', () => {
    const stage = new OverHttpStage();
    stage.origin.last.fail('upstream_reset', 'origin');
    assert.equal(stage.opening, 'failed');
    assert.equal(stage.origin.count, 1);
  });

  it('fails if no origin can be asked at all', () => {
    const stage = OverHttpStage.opened({ gripSocketRetriesMax: 0 });
    stage.origin.refusal = new TidegateError('upstream_unavailable');
    stage.send('anybody?');
    assert.deepEqual(stage.told, ['failed upstream_unavailable']);
  });

  it('fails if the origin switches protocols, and lets go of the connection', () => {
    const stage = new OverHttpStage();
    let destroyed = 0;
    stage.origin.last.switchProtocols({ destroy: () => destroyed++ } as never);
    assert.equal(stage.opening, 'failed');
    assert.equal(destroyed, 1);
  });

  it('is not tried again for a client that has gone', () => {
    const stage = new OverHttpStage();
    stage.origin.last.fail('upstream_unreachable', 'nothing');
    stage.socket.cancel();
    stage.clock.advance(60_000);
    assert.equal(stage.origin.count, 1);
  });

  it('tells an origin that accepts a client that has gone', () => {
    const stage = new OverHttpStage();
    stage.socket.cancel();
    stage.origin.last.answer({ body: 'OPEN\r\n' });
    assert.equal(stage.opening, 'accepted');
    stage.socket.disconnect();
    assert.equal(stage.origin.last.body, 'DISCONNECT\r\n');
  });
});
