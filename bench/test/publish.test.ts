import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { hasCompiler } from '../support/compiler.ts';
import { blankPayload, postRequest } from '../support/payload.ts';
import { publishFor } from '../support/publisher.ts';

const SECONDS = 60;

test('each unit has the next variant, none twice, and publishing ends after the last', {
  skip: !hasCompiler(),
}, async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    request.resume();
    request.once('end', () => response.end('ok'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const variants = Array.from({ length: 20 }, (_, at) => `token-${String(at).padStart(3, '0')}`);
  const result = await publishFor(
    {
      label: 'variants',
      port: (server.address() as AddressInfo).port,
      connections: 3,
      unit: postRequest('/', blankPayload(), { Authorization: 'token-000' }),
      answers: 'response',
      variants,
    },
    SECONDS,
  );
  server.close();
  assert.deepEqual(seen.toSorted(), variants);
  assert.deepEqual([result.sent, result.accepted], [variants.length, variants.length]);
});
