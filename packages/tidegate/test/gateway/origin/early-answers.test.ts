import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import type { OriginFailure, OriginReceiver, OriginRequest } from '../../../src/gateway/origin/exchange.ts';
import { Http1Connection } from '../../../src/gateway/origin/http1-connection.ts';
import { resolveLimits } from '../../../src/kernel/index.ts';

const REQUEST: OriginRequest = {
  method: 'GET',
  target: '/',
  fields: ['Host', 'a.example'],
  bodyBytes: 0,
  upgrade: null,
  expects: 'nothing',
};

test('what an origin says before a request has been sent is no answer to it', async () => {
  const socket = new PassThrough();
  const told: string[] = [];
  const failures: OriginFailure[] = [];
  const connection = new Http1Connection(
    socket as unknown as Socket,
    { idle: () => told.push('idle'), left: () => told.push('left') },
    resolveLimits(),
  );
  const receiver = {
    head: () => told.push('head'),
    data: () => told.push('data'),
    answerEnded: () => told.push('ended'),
    failed: (failure: OriginFailure) => failures.push(failure),
  } as unknown as OriginReceiver;
  connection.begin(REQUEST, null, receiver);
  // It has been read in the same turn of the event loop, before the request is sent at its end.
  socket.emit('data', Buffer.from('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'));
  await once(socket, 'close');
  assert.deepEqual(told, ['left']);
  assert.deepEqual(
    failures.map(({ reached }) => reached),
    ['nothing'],
  );
});
