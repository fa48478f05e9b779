import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { durationSchema, statusSchema } from '../gateway/options.ts';
import { parseTimestamp } from '../kernel/index.ts';
import { nearest } from './nearest.ts';
import {
  byPlace,
  type ConfigPath,
  type ConfigProblem,
  formatPath,
  formatValue,
  type Place,
} from './problem.ts';
import { type ConfigFile, configSchema } from './schema.ts';
import type { ConfigSource } from './source.ts';

/** What is wrong and what would be right, as sentences. */
interface Complaint {
  readonly message: string;
  readonly remedy: string;
}

/** One error of the validator with what is needed to explain it. */
interface Finding {
  readonly error: ErrorObject;
  readonly path: ConfigPath;
  readonly value: unknown;
  readonly shown: string;
}

let ajv: Ajv | undefined;

/** By the sections that they check, with commas between. */
const validators = new Map<string, ValidateFunction>();

/**
 * The check for a file with the sections of this value, compiled on first use. What is said of sections that a file leaves out stays uncompiled: to compile
 * everything takes a tenth of a second and 30 MB, at every start.
 */
function validatorOf(value: unknown): ValidateFunction {
  const sections = Object.entries(configSchema.properties).filter(
    ([name]) => typeof value === 'object' && value !== null && Object.hasOwn(value, name),
  );
  const key = sections.map(([name]) => name).join();
  const known = validators.get(key);
  if (known !== undefined) return known;
  ajv ??= new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    allowMatchingProperties: true,
    formats: { 'date-time': (text: string) => parseTimestamp(text) !== null },
  });
  const absent = Object.keys(configSchema.properties).map((name) => [name, true]);
  const properties = { ...Object.fromEntries(absent), ...Object.fromEntries(sections) };
  const validate = ajv.compile({ ...configSchema, properties });
  validators.set(key, validate);
  return validate;
}

/** A JSON pointer (RFC 6901) as a path; steps into lists become numbers. */
function pathOf(pointer: string, root: unknown): ConfigPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(name) : name);
    value = (value as Record<string, unknown> | undefined)?.[name];
  }
  return path;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
};

const list = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items[items.length - 1]}`;

/** What the schema takes at this point, such as `a whole number from 0 to 65535`. */
function describeExpected(schema: Record<string, unknown>): string {
  if (Array.isArray(schema.enum)) return `one of ${list(schema.enum.map(String))}`;
  const types = [schema.type].flat().map((type) => TYPE_NAMES[String(type)] ?? String(type));
  const range =
    schema.minimum === undefined
      ? ''
      : schema.maximum === undefined
        ? ` of at least ${schema.minimum}`
        : ` from ${schema.minimum} to ${schema.maximum}`;
  return list(types.map((type, index) => (index === 0 ? type + range : type)));
}

/** Whether the value is text only because it was written in quotes. */
function isQuoted(value: unknown, schema: Record<string, unknown>): boolean {
  if (typeof value !== 'string') return false;
  const types = [schema.type].flat();
  const number = types.includes('integer') && /^[-+]?[0-9]+$/.test(value);
  return number || (types.includes('boolean') && (value === 'true' || value === 'false'));
}

/** More are those of the limits, which nobody wants to read in a line. */
const KEYS_SHOWN_MAX = 20;

function explainUnknownKey({ error, path }: Finding): Complaint {
  const name = String(error.params.additionalProperty);
  const topicSection = path.length === 1 && path[0] === 'topics';
  if (topicSection) {
    return {
      message: `${formatValue(name)} cannot be the name of a topic`,
      remedy:
        'Use 1 to 128 letters, digits, dots, dashes and underscores, and no underscore at the beginning.',
    };
  }
  if (path.length === 1 && path[0] === 'keys') {
    return {
      message: `${formatValue(name)} cannot be the name of a key`,
      remedy:
        'Use 1 to 64 letters, digits, dots, dashes and underscores, and begin with a letter or a digit.',
    };
  }
  if (path.length === 1 && (path[0] === 'routes' || path[0] === 'upstreams')) {
    return {
      message: `${formatValue(name)} cannot be the name of ${path[0] === 'routes' ? 'a route' : 'an upstream'}`,
      remedy:
        'Use 1 to 128 letters, digits, dots, dashes and underscores, and begin with a letter or a digit.',
    };
  }
  const known = Object.keys((error.parentSchema?.properties ?? {}) as object);
  const defaultTopic = path.length === 2 && path[0] === 'topics' && path[1] === 'default';
  if (defaultTopic) {
    return {
      message: `${formatValue(name)} cannot be set for the topic default`,
      remedy: `Only ${list(known)} can be set for it. Declare a topic of your own for other settings.`,
    };
  }
  const meant = nearest(name, known);
  const choices =
    known.length <= KEYS_SHOWN_MAX
      ? `The keys here are ${known.join(', ')}.`
      : 'docs/limits.md lists the keys.';
  return {
    message: `${formatValue(name)} is not a known key`,
    remedy: meant === undefined ? choices : `Did you mean ${meant}? ${choices}`,
  };
}

const PATTERN_REMEDIES: Readonly<Record<string, string>> = {
  origins:
    'Write an origin as scheme and host, without a path, such as https://example.org or http://localhost:3000, or "*" for all.',
  hash: 'Write sha256: and 64 hexadecimal digits, as tidegate key create --local prints them.',
  names: 'Write a name such as example.org, or *.example.org for all names one step below it.',
  prefixes: 'Write printable characters; the first must not be an underscore.',
  url: 'Write a scheme, a host and maybe a port, without a path, such as http://10.0.0.7:3000.',
  path: 'Write a path such as /orders, /orders/{id} or /orders/*; a parameter is a whole segment, and the star the last one.',
  stripPrefix: 'Write a path such as /api, without a slash at the end.',
  addPrefix: 'Write a path such as /api, without a slash at the end.',
  host: 'Write a host without a port, such as example.org, or *.example.org for all below it.',
  hashBy: 'Write address, path, header:NAME or cookie:NAME.',
  methods: 'Write methods in capitals, such as GET.',
  set: 'Write names of header fields with values without line ends.',
};

/** The same, for forms that stand in many places. */
const FORM_REMEDIES: Readonly<Record<string, string>> = {
  [durationSchema.pattern]:
    'Write a whole number and its unit: ms, s, m or h, such as 500ms or 10s; at most 499h.',
  [statusSchema.pattern]: 'Write a status such as 503, or 5xx for all that begin so.',
};

/** The words for one error of the validator, by the schema's keyword. */
function explain(finding: Finding): Complaint {
  const { error, path, value, shown } = finding;
  const schema = (error.parentSchema ?? {}) as Record<string, unknown>;
  const expected = describeExpected(schema);
  switch (error.keyword) {
    case 'additionalProperties':
      return explainUnknownKey(finding);
    case 'type':
      if (value === null)
        return { message: 'The value is missing', remedy: `Write ${expected}, or remove the key.` };
      if (isQuoted(value, schema)) {
        return {
          message: `${shown} is text, not ${expected}`,
          remedy: `Write it without quotes: ${String(value)}`,
        };
      }
      if (schema.type === 'string' && typeof value === 'object') {
        return {
          message: `${shown} is not text`,
          remedy: 'Write text; text with a colon or a bracket in it stands in quotes.',
        };
      }
      return { message: `${shown} is not ${expected}`, remedy: `Write ${expected}.` };
    case 'enum': {
      const meant = nearest(String(value), (schema.enum as readonly unknown[]).map(String));
      const choices = `Write ${expected}.`;
      return {
        message: `${shown} is not ${expected}`,
        remedy: meant === undefined ? choices : `Did you mean ${meant}? ${choices}`,
      };
    }
    case 'minimum':
      return { message: `${shown} is too small`, remedy: `Write ${expected}.` };
    case 'maximum':
      return { message: `${shown} is too large`, remedy: `Write ${expected}.` };
    case 'pattern': {
      const section = path.findLast((step) => typeof step === 'string');
      const pattern = String(schema.pattern);
      return {
        message: `${shown} does not have the right form`,
        remedy:
          FORM_REMEDIES[pattern] ??
          PATTERN_REMEDIES[String(section)] ??
          `Write text that matches ${pattern}.`,
      };
    }
    case 'minLength':
      return {
        message: 'The text is empty',
        remedy: 'Write something, or remove the key to get the default.',
      };
    case 'maxLength':
      return {
        message: `${shown} is too long`,
        remedy: `Write at most ${String(schema.maxLength)} characters.`,
      };
    case 'required':
      return {
        message: `The key ${String(error.params.missingProperty)} is missing`,
        remedy: `Write ${String(error.params.missingProperty)}: and its value.`,
      };
    case 'format':
      return {
        message: `${shown} is not a time`,
        remedy: 'Write a time with its zone, such as 2027-01-31T12:00:00Z.',
      };
    case 'minItems':
      return { message: 'The list is empty', remedy: 'Write at least one item, or remove the section.' };
    case 'maxItems':
      return { message: 'The list is too long', remedy: `Write at most ${String(schema.maxItems)} items.` };
    case 'uniqueItems':
      return { message: 'The list has an item twice', remedy: `Remove item ${Number(error.params.i) + 1}.` };
    default:
      return {
        message: `${shown} is not valid: ${error.message ?? error.keyword}`,
        remedy: `Write ${expected}.`,
      };
  }
}

function placeOf(source: ConfigSource, { error, path }: Finding): Place {
  return error.keyword === 'additionalProperties'
    ? source.placeOfKey(path, String(error.params.additionalProperty))
    : source.placeOfValue(path);
}

/** Says where a value came from if it is not what the file shows. */
function origin(source: ConfigSource, path: ConfigPath): string {
  const variables = source.variablesAt(path);
  return variables.length === 0 ? '' : ` (from ${variables.map((name) => `\${${name}}`).join(' and ')})`;
}

/** Either the file's content in its type, or all that is wrong with it, in the order of the file. */
export function validateSource(
  file: string,
  source: ConfigSource,
): { readonly content: ConfigFile } | { readonly problems: readonly ConfigProblem[] } {
  if (source.problems.length > 0) return { problems: source.problems };
  const validate = validatorOf(source.value);
  if (validate(source.value)) return { content: source.value as ConfigFile };
  // The topic `default` is checked by two schemas, which may find the same thing.
  const problems = new Map<string, ConfigProblem>();
  for (const error of validate.errors ?? []) {
    const path = pathOf(error.instancePath, source.value);
    const finding: Finding = { error, path, value: error.data, shown: formatValue(error.data) };
    const { message, remedy } = explain(finding);
    const place = placeOf(source, finding);
    const problem = {
      file,
      ...place,
      path: formatPath(path),
      message: message + origin(source, path),
      remedy,
    };
    problems.set(`${error.instancePath} ${error.keyword} ${place.line}:${place.column}`, problem);
  }
  return { problems: [...problems.values()].sort(byPlace) };
}
