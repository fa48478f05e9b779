import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { controlRoutes, keyKind, routeKind, topicKind, upstreamKind } from '../../src/control/index.ts';
import { openApiDocument } from '../../src/control/openapi.ts';
import { resolveLimits, silentLogger, systemClock } from '../../src/kernel/index.ts';
import { memoryLog, openStore } from './fixture.ts';

const log = memoryLog();
const limits = resolveLimits();
const kinds = [
  topicKind({ log, limits, logger: silentLogger }),
  keyKind(),
  upstreamKind(limits),
  routeKind(limits),
];
const document = openApiDocument(kinds, '1.2.3');

test('the OpenAPI document is a valid one of version 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document) as Record<string, unknown>);
  assert.deepEqual(errors ?? [], []);
  assert.equal(valid, true);
  assert.equal(validator.version, '3.1');
  const broken = { ...structuredClone(document), paths: { '/x': { get: { responses: 1 } } } };
  assert.equal((await new Validator().validate(broken)).valid, false);
});

test('every reference leads to a part of the document', () => {
  const dead: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (name === '$ref') {
        const steps = String(member).split('/').slice(1);
        const found = steps.reduce<unknown>(
          (at, step) => (at as Record<string, unknown> | undefined)?.[step],
          document,
        );
        if (found === undefined) dead.push(String(member));
      } else visit(member);
    }
  };
  visit(document);
  assert.deepEqual(dead, []);
});

test('every path of the admin port is described, and no other', async () => {
  const routes = controlRoutes({
    resources: await openStore(log, { kinds }),
    metricsText: async () => '',
    isReady: () => true,
    purge: async () => ({ responses: 0, state: 'done' }),
    reload: async () => ({ differences: [], hidden: [], restart: [] }),
    clock: systemClock,
    limits,
  });
  // The last routes only say that a kind is unknown.
  const served = routes
    .filter(({ path }) => !path.startsWith('/api/{kind}'))
    .map(({ method, path }) => `${method.toLowerCase()} ${path}`);
  const described = Object.entries(document.paths as Record<string, Record<string, unknown>>)
    .filter(([path]) => !path.startsWith('/v1/'))
    .flatMap(([path, item]) =>
      Object.keys(item)
        .filter((name) => ['get', 'put', 'post', 'delete'].includes(name))
        .map((name) => `${name} ${path}`),
    );
  assert.deepEqual(described.sort(), served.sort());
});

test('the schemas of the document are those that requests are checked by', () => {
  const { schemas } = document.components as { readonly schemas: Record<string, unknown> };
  for (const kind of kinds)
    assert.equal(schemas[`${kind.kind[0].toUpperCase()}${kind.kind.slice(1)}Spec`], kind.schema);
});
