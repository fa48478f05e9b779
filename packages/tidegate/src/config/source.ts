import {
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
} from 'yaml';
import { type Environment, interpolate, scalarValue } from './interpolate.ts';
import { byPlace, type ConfigPath, type ConfigProblem, formatPath, type Place } from './problem.ts';

/** A config file as a value that remembers where each part stands. */
export interface ConfigSource {
  /** The file's content after interpolation; an empty file is an empty mapping. */
  readonly value: unknown;
  /** What is wrong with the text itself; if there is anything, `value` is of no use. */
  readonly problems: readonly ConfigProblem[];
  /** Where the value at `path` begins, or what comes nearest above it. */
  placeOfValue(path: ConfigPath): Place;
  /** Where the key `name` in the mapping at `path` begins. */
  placeOfKey(path: ConfigPath, name: string): Place;
  /** The environment variables that the value at `path` was made of. */
  variablesAt(path: ConfigPath): readonly string[];
}

/** Places of the nodes of one document. */
class Places {
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  at(position: number): Place {
    const { line, col } = this.#lines.linePos(position);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  of(node: unknown): Place {
    return this.at(isNode(node) ? (node.range?.[0] ?? 0) : 0);
  }

  node(path: ConfigPath): Node | undefined {
    const found = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    return isNode(found) ? found : undefined;
  }

  value(path: ConfigPath): Place {
    for (let length = path.length; length > 0; length--) {
      const node = this.node(path.slice(0, length));
      // An empty value has no place of its own: the key tells more than the end of the line.
      if (node !== undefined && !(isScalar(node) && node.value === null && node.source === ''))
        return this.of(node);
      const name = path[length - 1];
      const key = typeof name === 'string' ? this.#key(path.slice(0, length - 1), name) : undefined;
      if (key !== undefined) return this.of(key);
    }
    return this.of(this.#document.contents);
  }

  key(path: ConfigPath, name: string): Place {
    const key = this.#key(path, name);
    return key === undefined ? this.value(path) : this.of(key);
  }

  #key(path: ConfigPath, name: string): Node | undefined {
    const mapping = this.node(path);
    if (!isMap(mapping)) return undefined;
    const pair = mapping.items.find((item) => isScalar(item.key) && String(item.key.value) === name);
    return isNode(pair?.key) ? pair.key : undefined;
  }
}

/** Replaces references to environment variables in all values (not in keys) and tells what could not be replaced. */
function interpolateValues(
  document: Document,
  environment: Environment,
  complain: (scalar: Scalar, message: string, remedy: string) => void,
): ReadonlyMap<unknown, readonly string[]> {
  const variables = new Map<unknown, readonly string[]>();
  visit(document, {
    Scalar(key, scalar) {
      if (key === 'key' || typeof scalar.value !== 'string') return;
      const result = interpolate(scalar.value, environment);
      if (result.kind === 'unset') {
        complain(
          scalar,
          `The environment variable ${result.variable} is not set`,
          `Set it, or give a default: \${${result.variable}:-default}`,
        );
      } else if (result.kind === 'malformed') {
        complain(
          scalar,
          `${JSON.stringify(result.reference)} is not a reference to an environment variable`,
          'Write ${NAME} or ${NAME:-default}; write $${ for the characters themselves.',
        );
      } else if (result.text !== scalar.value) {
        // Only a value without quotes can turn out to be a number: quotes say that text is meant.
        scalar.value = scalar.type === Scalar.PLAIN ? scalarValue(result.text) : result.text;
        variables.set(scalar, result.variables);
      }
    },
  });
  return variables;
}

/** What would be right, for the mistakes that people make most, by the reader's error code. */
const YAML_REMEDIES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'Remove one of the two.',
  TAB_AS_INDENT: 'Indent by spaces.',
  MULTIPLE_DOCS: 'Write one document: remove what follows the line ---.',
  NON_STRING_KEY: 'Put quotes around the key.',
};

/** YAML's own messages end in an excerpt and begin with nothing that the place does not say. */
function firstSentence(message: string): string {
  return message
    .split('\n')[0]
    .replace(/ at line \d+, column \d+:?$/, '')
    .replace(/\.$/, '');
}

/** The document as plain values. Fails only on aliases that would grow without bound. */
function plainValue(document: Document, complain: (message: string) => void): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    complain(error instanceof Error ? firstSentence(error.message) : String(error));
    return {};
  }
}

/** Reads YAML and puts environment variables in. `file` is the name for messages. */
export function parseSource(file: string, text: string, environment: Environment): ConfigSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const places = new Places(document, lines);
  const problems: ConfigProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    file,
    ...places.at(error.pos[0]),
    path: '',
    message: firstSentence(error.message),
    remedy:
      YAML_REMEDIES[error.code] ??
      'Mend the YAML: keys end with a colon and a space, and nested keys are indented by spaces.',
  }));
  const variables = interpolateValues(document, environment, (scalar, message, remedy) => {
    problems.push({ file, ...places.of(scalar), path: '', message, remedy });
  });
  const value =
    problems.length > 0
      ? {}
      : plainValue(document, (message) => {
          const remedy = 'Write the repeated part out instead of using aliases.';
          problems.push({ file, ...places.at(0), path: formatPath([]), message, remedy });
        });
  return {
    value,
    problems: problems.sort(byPlace),
    placeOfValue: (path) => places.value(path),
    placeOfKey: (path, name) => places.key(path, name),
    variablesAt: (path) => variables.get(places.node(path)) ?? [],
  };
}
