import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrometheusMetrics } from '../../../src/bindings/index.ts';
import { ClientMetrics } from '../../../src/edges/centrifuge/client-metrics.ts';

test('disconnects are counted by code, and codes that anybody may choose together', async () => {
  const metrics = createPrometheusMetrics();
  const observed = { connections: () => 3, members: () => 2, unlisted: () => 1 };
  const figures = new ClientMetrics(metrics, observed);
  for (const code of [3008, 3008, 3500, 4001, 4002]) figures.disconnected(code);
  const text = await metrics.text();
  for (const line of [
    'tidegate_centrifuge_disconnects_total{code="3008"} 2',
    'tidegate_centrifuge_disconnects_total{code="3500"} 1',
    'tidegate_centrifuge_disconnects_total{code="other"} 2',
    'tidegate_centrifuge_connections 3',
    'tidegate_presence_members 2',
    'tidegate_presence_unlisted 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
});
