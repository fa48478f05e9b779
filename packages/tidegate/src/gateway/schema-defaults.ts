/** A part of a JSON Schema, as far as defaults go. */
interface Schema {
  readonly default?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A valid value with every default of its schema filled in, also below sections that are a default themselves. A section without a default
 * that is not given stays away: what it would turn on is off. The value itself is not changed.
 */
export function withDefaults(schema: unknown, value: unknown): unknown {
  return fill(schema as Schema, value);
}

function fill(schema: Schema, value: unknown): unknown {
  const { items, properties } = schema;
  if (Array.isArray(value)) return items === undefined ? value : value.map((item) => fill(items, item));
  if (!isMapping(value) || properties === undefined) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [name, part] of Object.entries(properties)) {
    const given = value[name] ?? part.default;
    if (given !== undefined) filled[name] = fill(part, given);
  }
  return filled;
}
