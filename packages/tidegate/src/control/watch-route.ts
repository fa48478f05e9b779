import { type Clock, TidegateError } from '../kernel/index.ts';
import type { AdminRequest, AdminRoute } from '../listeners/index.ts';
import type { AppliedChangeSet } from './port.ts';
import type { ResourceStore } from './resource-store.ts';
import { shownSpec } from './secret-members.ts';

export interface WatchOptions {
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly keepAliveIntervalMs: number;
}

/** How a change set looks on the wire; the position of the first line says where the stream begins. */
interface Form {
  readonly contentType: string;
  readonly keepAlive: string;
  event(position: number, value: unknown): string;
}

const NDJSON: Form = {
  contentType: 'application/x-ndjson',
  keepAlive: '\n',
  event: (_position, value) => `${JSON.stringify(value)}\n`,
};

/** Server-sent events, with the position as the id, so that a browser resumes by itself. */
const EVENT_STREAM: Form = {
  contentType: 'text/event-stream',
  keepAlive: ':\n\n',
  event: (position, value) => `id: ${position}\ndata: ${JSON.stringify(value)}\n\n`,
};

function positionOf({ query, headers }: AdminRequest, now: number): number {
  const text = headers['last-event-id'] ?? query.get('from');
  if (text === null || text === undefined || text === '') return now;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new TidegateError('http_query_invalid', `from is a position, and not ${JSON.stringify(text)}.`);
}

function changeSetValue({ position, id, who, atMs, changes }: AppliedChangeSet, { kinds }: ResourceStore) {
  const shown = changes.map((change) => {
    const kind = kinds.get(change.kind);
    const { spec } = change;
    return spec === null || kind === undefined ? change : { ...change, spec: shownSpec(kind, spec) };
  });
  return { position, id, who, at: new Date(atMs).toISOString(), changes: shown };
}

/** `GET /api/watch`: the changes as they take effect, from now on or from a position; as lines of JSON or as an event stream. */
export function watchRoute({ store, clock, keepAliveIntervalMs }: WatchOptions): AdminRoute {
  return {
    method: 'GET',
    path: '/api/watch',
    handle(request) {
      const form = request.headers.accept?.includes('text/event-stream') ? EVENT_STREAM : NDJSON;
      const from = positionOf(request, store.snapshot.position);
      const missed = store.changesSince(from);
      return {
        status: 200,
        headers: { 'content-type': form.contentType, 'cache-control': 'no-store' },
        body: {
          start(out) {
            out.write(form.event(from, { position: from }));
            for (const applied of missed)
              out.write(form.event(applied.position, changeSetValue(applied, store)));
            const stop = store.onChange((_snapshot, applied) =>
              out.write(form.event(applied.position, changeSetValue(applied, store))),
            );
            const timer = clock.setRepeatingTimer(() => out.write(form.keepAlive), keepAliveIntervalMs);
            return () => {
              stop();
              clock.clearTimer(timer);
            };
          },
        },
      };
    },
  };
}
