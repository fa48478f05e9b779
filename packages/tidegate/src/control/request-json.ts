import { TidegateError } from '../kernel/index.ts';
import type { AdminRequest } from '../listeners/index.ts';
import type { RequestedChange } from './plan.ts';
import type { ResourceSpec } from './port.ts';

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const refuse = (detail: string): never => {
  throw new TidegateError('resource_invalid', detail);
};

/** The body as a JSON object. @throws TidegateError json_malformed, resource_invalid */
export function bodyOf({ body }: AdminRequest): Members {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new TidegateError('json_malformed', error instanceof Error ? `${error.message}.` : '');
  }
  return isMembers(value) ? value : refuse('The body is not a JSON object.');
}

function specOf({ spec }: Members, place: string): ResourceSpec {
  return isMembers(spec) ? spec : refuse(`${place} needs the member "spec", an object.`);
}

/** A version that an object names itself, as what it was read with; null if it names none. */
function versionOf({ version }: Members, place: string): number | null {
  if (version === undefined) return null;
  const isVersion = Number.isSafeInteger(version) && (version as number) >= 0;
  return isVersion ? (version as number) : refuse(`${place} has a version that is not a whole number.`);
}

/** The resource that a PUT of `{kind}/{name}` gives: what it repeats of the path has to agree. */
export function putSpec(request: AdminRequest, kind: string, name: string): ResourceSpec {
  const body = bodyOf(request);
  for (const [member, value] of Object.entries({ kind, name })) {
    if (body[member] !== undefined && body[member] !== value)
      refuse(
        `The body has the ${member} ${JSON.stringify(body[member])}; the path says ${JSON.stringify(value)}.`,
      );
  }
  return specOf(body, 'The body');
}

function listOf(body: Members, member: string): readonly Members[] {
  const list = body[member] ?? [];
  if (!Array.isArray(list)) return refuse(`The member ${JSON.stringify(member)} is not a list.`);
  return list.map((item: unknown, index) =>
    isMembers(item) ? item : refuse(`${member}[${index}] is not an object.`),
  );
}

function nameOf({ kind, name }: Members, place: string): { readonly kind: string; readonly name: string } {
  if (typeof kind !== 'string' || typeof name !== 'string')
    return refuse(`${place} needs the members "kind" and "name".`);
  return { kind, name };
}

/** The changes that a body `{"resources":[…],"delete":[…]}` asks for, in this order. */
export function applyChanges(request: AdminRequest): readonly RequestedChange[] {
  const body = bodyOf(request);
  const unknown = Object.keys(body).find((member) => member !== 'resources' && member !== 'delete');
  if (unknown !== undefined)
    refuse(`The members are "resources" and "delete", not ${JSON.stringify(unknown)}.`);
  const set = listOf(body, 'resources').map((item, index) => {
    const place = `resources[${index}]`;
    return { ...nameOf(item, place), spec: specOf(item, place), expects: versionOf(item, place) };
  });
  const deleted = listOf(body, 'delete').map((item, index) => {
    const place = `delete[${index}]`;
    return { ...nameOf(item, place), spec: null, expects: versionOf(item, place) };
  });
  return [...set, ...deleted];
}
