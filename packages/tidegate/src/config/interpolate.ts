/** The process's environment, or a stand-in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Text in which every reference was replaced, or what prevented it. */
export type Interpolation =
  | { readonly kind: 'text'; readonly text: string; readonly variables: readonly string[] }
  | { readonly kind: 'unset'; readonly variable: string }
  | { readonly kind: 'malformed'; readonly reference: string };

// `$${` is an escaped reference; `${NAME}` and `${NAME:-default}` are references; any other `${` is a mistake.
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{[^}]*\}?/g;

/**
 * Replaces `${NAME}` by the environment variable and `${NAME:-text}` by it, or by the text where it is unset or empty, as a shell
 * does. `$${` stands for `${`. What a variable contains is not looked at again.
 */
export function interpolate(source: string, environment: Environment): Interpolation {
  const variables: string[] = [];
  let failure: Interpolation | null = null;
  const text = source.replace(REFERENCE, (reference: string, variable?: string, fallback?: string) => {
    if (reference === '$${') return '${';
    if (variable === undefined) {
      failure ??= { kind: 'malformed', reference };
      return '';
    }
    variables.push(variable);
    const value = environment[variable];
    if (value !== undefined && (value !== '' || fallback === undefined)) return value;
    if (fallback !== undefined) return fallback;
    failure ??= { kind: 'unset', variable };
    return '';
  });
  return failure ?? { kind: 'text', text, variables };
}

const WHOLE_NUMBER = /^[-+]?[0-9]+$/;
const FRACTION = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/** The value of a scalar without quotes, by the core schema of YAML 1.2 (section 10.3.2), without its rarer notations. */
export function scalarValue(text: string): string | number | boolean | null {
  if (text === '' || text === 'null' || text === '~') return null;
  if (text === 'true') return true;
  if (text === 'false') return false;
  return WHOLE_NUMBER.test(text) || FRACTION.test(text) ? Number(text) : text;
}
