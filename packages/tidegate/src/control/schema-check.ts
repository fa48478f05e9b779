import { createHash } from 'node:crypto';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { parseTimestamp } from '../kernel/index.ts';
import type { ResourceKind, ResourceSpec } from './port.ts';

/** Says what is wrong with a spec, in sentences without a full stop; nothing if it is valid. */
export type SchemaCheck = (spec: ResourceSpec) => readonly string[];

/** The way to a value as people write it: `spec.retention.ageSeconds`. */
function pathOf(pointer: string): string {
  const steps = pointer.split('/').slice(1);
  return ['spec', ...steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))].join('.');
}

function complaint({ keyword, instancePath, params, message, data }: ErrorObject): string {
  const path = pathOf(instancePath);
  if (keyword === 'additionalProperties')
    return `${path} has no member ${JSON.stringify(params.additionalProperty)}`;
  if (keyword === 'required') return `${path} needs the member ${JSON.stringify(params.missingProperty)}`;
  if (keyword === 'enum')
    return `${path} must be one of ${(params.allowedValues as unknown[]).map(String).join(', ')}`;
  const shown = typeof data === 'object' && data !== null ? '' : ` and not ${JSON.stringify(data)}`;
  return `${path} ${message ?? keyword}${shown}`;
}

const checks = new WeakMap<ResourceKind, SchemaCheck>();

/** The check of a kind's schema. The validator is loaded on first use: a server whose resources nobody changes starts without it. */
export async function schemaCheckOf(kind: ResourceKind): Promise<SchemaCheck> {
  const known = checks.get(kind);
  if (known !== undefined) return known;
  const { Ajv } = await import('ajv');
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    formats: { 'date-time': (text: string) => parseTimestamp(text) !== null },
  });
  const validate: ValidateFunction = ajv.compile(kind.schema as object);
  const check: SchemaCheck = (spec) => (validate(spec) ? [] : (validate.errors ?? []).map(complaint));
  checks.set(kind, check);
  return check;
}

const FINGERPRINT_LENGTH = 16;

const fingerprints = new WeakMap<ResourceKind, string>();

/** Changes when the schema does: what was checked by a schema of this fingerprint need not be checked again. */
export function schemaFingerprint(kind: ResourceKind): string {
  const known = fingerprints.get(kind);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(JSON.stringify(kind.schema)).digest('hex');
  const fingerprint = hash.slice(0, FINGERPRINT_LENGTH);
  fingerprints.set(kind, fingerprint);
  return fingerprint;
}
