import { type ServerAddress, sendSuccessfully } from './requests.ts';

/** A resource as the admin port shows it. */
export interface ResourceView {
  readonly kind: string;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly source: string;
  readonly status?: unknown;
}

/** What a change set did, or would do, to one resource. */
export interface Difference {
  readonly kind: string;
  readonly name: string;
  readonly action: 'create' | 'update' | 'delete' | 'unchanged';
  readonly before: unknown;
  readonly after: unknown;
}

/** A resource that a file asks for, or asks to be deleted. */
export interface RequestedResource {
  readonly kind: string;
  readonly name: string;
  readonly spec?: unknown;
  readonly version?: number;
}

/** The path of a resource on the admin port. */
export const resourcePath = (kind: string, name: string): string =>
  `/api/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`;

/** Asks the server to make changes, or what they would be. @throws TidegateError server_unreachable, or what the server says */
export async function sendChanges(
  server: ServerAddress,
  changes: {
    readonly resources?: readonly RequestedResource[];
    readonly delete?: readonly RequestedResource[];
  },
  mode: 'apply' | 'dry-run',
): Promise<readonly Difference[]> {
  const response = await sendSuccessfully(server, `/api/apply?dryRun=${mode === 'dry-run'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(changes),
  });
  const { differences } = (await response.json()) as { readonly differences: readonly Difference[] };
  return differences;
}
