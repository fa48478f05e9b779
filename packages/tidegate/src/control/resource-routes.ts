import type { AdminRequest, AdminResponse, AdminRoute } from '../listeners/index.ts';
import { jsonResponse } from './json-response.ts';
import { kindOf, type RequestedChange } from './plan.ts';
import type { ResourceKind } from './port.ts';
import { entityTag, expectedVersion } from './precondition.ts';
import { applyChanges, putSpec } from './request-json.ts';
import type { ResourceStore } from './resource-store.ts';
import { viewKind, viewResource } from './resource-view.ts';
import type { WriteResult } from './resource-write.ts';
import { shownDifference } from './secret-members.ts';

/** One resource with its entity tag. */
function resourceResponse(
  status: number,
  store: ResourceStore,
  kind: ResourceKind,
  name: string,
): AdminResponse {
  const view = viewResource(kind, name, store.snapshot);
  const response = jsonResponse(status, view);
  return { ...response, headers: { ...response.headers, etag: entityTag(view.version) } };
}

const expectedOf = (store: ResourceStore, request: AdminRequest, kind: string, name: string): number | null =>
  expectedVersion(request, { kind, name }, store.snapshot.get(kind, name)?.version ?? 0);

function write(
  store: ResourceStore,
  request: AdminRequest,
  changes: readonly RequestedChange[],
  mode: 'apply' | 'dry-run' = 'apply',
): Promise<WriteResult> {
  return store.write({ who: request.identity, changes, mode });
}

/** `GET /api/{kind}` and `GET|PUT|DELETE /api/{kind}/{name}` of one kind. */
function routesOf(store: ResourceStore, kind: ResourceKind): readonly AdminRoute[] {
  const path = `/api/${kind.kind}`;
  return [
    {
      method: 'GET',
      path,
      handle: () =>
        jsonResponse(200, { items: viewKind(kind, store.snapshot), position: store.snapshot.position }),
    },
    {
      method: 'GET',
      path: `${path}/{name}`,
      handle: ({ parameters }) => resourceResponse(200, store, kind, parameters.name),
    },
    {
      method: 'PUT',
      path: `${path}/{name}`,
      async handle(request) {
        const { name } = request.parameters;
        const spec = putSpec(request, kind.kind, name);
        const expects = expectedOf(store, request, kind.kind, name);
        const { differences } = await write(store, request, [{ kind: kind.kind, name, spec, expects }]);
        return resourceResponse(differences[0].action === 'create' ? 201 : 200, store, kind, name);
      },
    },
    {
      method: 'DELETE',
      path: `${path}/{name}`,
      async handle(request) {
        const { name } = request.parameters;
        const expects = expectedOf(store, request, kind.kind, name);
        await write(store, request, [{ kind: kind.kind, name, spec: null, expects }]);
        return { status: 204, headers: { 'cache-control': 'no-store' }, body: '' };
      },
    },
  ];
}

/** `POST /api/apply`: many changes, all or nothing; `?dryRun=true` says what they would do. */
function applyRoute(store: ResourceStore): AdminRoute {
  return {
    method: 'POST',
    path: '/api/apply',
    async handle(request) {
      const dryRun = request.query.get('dryRun') === 'true';
      const changes = applyChanges(request);
      const { position, differences } = await write(store, request, changes, dryRun ? 'dry-run' : 'apply');
      const shown = differences.map((each) => shownDifference(store.kinds.get(each.kind), each));
      return jsonResponse(200, { dryRun, position, differences: shown });
    },
  };
}

/** `GET /api/schemas` lists the kinds, `GET /api/schemas/{kind}` has the schema of one. */
function schemaRoutes(store: ResourceStore): readonly AdminRoute[] {
  const described = ({ kind, description, namePattern, schema }: ResourceKind) => ({
    kind,
    description,
    namePattern,
    schema,
  });
  return [
    {
      method: 'GET',
      path: '/api/schemas',
      handle: () => jsonResponse(200, { items: [...store.kinds.values()].map(described) }),
    },
    {
      method: 'GET',
      path: '/api/schemas/{kind}',
      handle({ parameters }) {
        const { schema } = kindOf(store.kinds, parameters.kind);
        const dialect = 'https://json-schema.org/draft/2020-12/schema';
        return jsonResponse(200, { $schema: dialect, ...schema });
      },
    },
  ];
}

/** Says that a kind is unknown, which helps more than that a path is. Stands after all other routes of `/api`. */
function unknownKindRoutes(store: ResourceStore): readonly AdminRoute[] {
  const handle = ({ parameters }: AdminRequest): AdminResponse => {
    kindOf(store.kinds, parameters.kind);
    return jsonResponse(200, {});
  };
  return [
    { method: 'GET', path: '/api/{kind}', handle },
    ...['GET', 'PUT', 'DELETE'].map((method) => ({ method, path: '/api/{kind}/{name}', handle })),
  ];
}

/** The verbs of the admin API, the same for every kind. */
export function resourceRoutes(store: ResourceStore): readonly AdminRoute[] {
  return [
    applyRoute(store),
    ...schemaRoutes(store),
    ...[...store.kinds.values()].flatMap((kind) => routesOf(store, kind)),
    ...unknownKindRoutes(store),
  ];
}
