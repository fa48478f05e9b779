/** A piece of an OpenAPI document or of a JSON Schema. */
export type Json = Readonly<Record<string, unknown>>;

export const reference = (section: string, name: string): Json => ({
  $ref: `#/components/${section}/${name}`,
});

export const schemaReference = (name: string): Json => reference('schemas', name);

/** A body or an answer of one media type. */
export const content = (mediaType: string, schema: Json): Json => ({ content: { [mediaType]: { schema } } });

export const jsonContent = (schema: Json): Json => content('application/json', schema);

/** An answer as it should be. */
export const answer = (description: string, body: Json = {}): Json => ({ description, ...body });

/** Any error: they all look the same. */
export const PROBLEM: Json = reference('responses', 'problem');

export const pathParameter = (
  name: string,
  description: string,
  schema: Json = { type: 'string' },
): Json => ({
  name,
  in: 'path',
  required: true,
  description,
  schema,
});

export const queryParameter = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'query',
  description,
  schema,
});

export const headerParameter = (name: string, description: string): Json => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string' },
});

/** An object of which all members are required unless they are told apart. */
export const objectOf = (properties: Json, required: readonly string[] = Object.keys(properties)): Json => ({
  type: 'object',
  required,
  properties,
});

export const listOf = (items: Json): Json => ({ type: 'array', items });
