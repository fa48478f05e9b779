/**
 * The parts of the documentation that are made from the sources: error codes, limits, config keys, commands, what differs from Pushpin, who may import whom. They stand between
 * `<!-- generated: NAME -->` and `<!-- end of NAME -->`; the words around them are written by hand.
 *
 *     node scripts/generated-docs.ts          writes them anew
 *     npm test                                fails if they are out of date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../packages/tidegate/src/cli/commands/index.ts';
import { helpOf } from '../packages/tidegate/src/cli/help.ts';
import { configSchema } from '../packages/tidegate/src/config/index.ts';
import { ERRORS, LIMITS } from '../packages/tidegate/src/kernel/index.ts';
import { HTTP_STATUS } from '../packages/tidegate/src/listeners/index.ts';
import { FOLDERS } from '../packages/tidegate/test/architecture/rules.ts';
import { DIFFERENCES } from '../packages/tidegate/test/differential/differences.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** A part of a JSON Schema, as far as it is documented. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heading), `|${'---|'.repeat(heading.length)}`, ...rows.map(line)].join('\n');
}

/** Where a code can be met: those of starting the server and of the command line never cross HTTP. */
const LOCAL_CODES =
  /^(?:config_(?!refused)|arguments_|listen_|tls_)|^server_un(?:reachable|trusted)$|^log_(?:locked|format_unsupported|folder_unusable)$|^routes_file_invalid$/;

export function errorsTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { title, retryable, hint }]) => {
    const status = LOCAL_CODES.test(code)
      ? 'start, command line'
      : String(HTTP_STATUS[code as keyof typeof HTTP_STATUS]);
    return [`\`${code}\``, status, retryable ? 'yes' : 'no', title, hint];
  });
  return table(['code', 'status', 'retry', 'what happened', 'what to do'], rows);
}

const number = (value: number): string => value.toLocaleString('en-US').replaceAll(',', ' ');

/** A number with its unit, which is the end of the limit's name. */
function quantity(name: string, value: number): string {
  if (/Ms(?:Max)?$/.test(name) && value >= 1000) return `${number(value)} (${number(value / 1000)} s)`;
  if (/Bytes(?:Max)?$/.test(name) && value >= 1024) {
    const mebibytes = value / 1024 ** 2;
    return `${number(value)} (${mebibytes >= 1 ? `${number(mebibytes)} MiB` : `${number(value / 1024)} KiB`})`;
  }
  return number(value);
}

export function limitsTable(): string {
  const rows = Object.entries(LIMITS).map(([name, limit]) => [
    `\`${name}\``,
    quantity(name, limit.default),
    `${number(limit.min)} to ${number(limit.max)}`,
    limit.why,
  ]);
  return table(['limit', 'default', 'range', 'why'], rows);
}

function typeText(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const names: Readonly<Record<string, string>> = {
    integer: 'whole number',
    string: 'text',
    boolean: '`true`, `false`',
    array: 'list',
    null: '`null`',
    object: 'mapping',
  };
  const types = [schema.type].flat().map((type) => names[String(type)] ?? String(type));
  return types.join(' or ');
}

/** Every key that takes a value, by its path. `NAME` stands for a topic's name. */
export function configKeys(
  schema: Schema = configSchema as Schema,
  path = '',
): readonly (readonly [path: string, schema: Schema])[] {
  if (path === 'limits')
    return [
      [path, { type: 'mapping', description: 'Any of the [limits](limits.md), by name.', default: {} }],
    ];
  if (schema.items?.properties !== undefined) {
    return [[path, schema], ...configKeys(schema.items, `${path}[]`)];
  }
  const named = Object.entries(schema.properties ?? {});
  // Declared topics come before the one that is there by itself.
  const patterns = Object.values(schema.patternProperties ?? {}).map((inner) => ['NAME', inner] as const);
  const inner = [...patterns, ...named];
  if (inner.length === 0) return [[path, schema]];
  return inner.flatMap(([name, sub]) => configKeys(sub, path === '' ? name : `${path}.${name}`));
}

export function configTable(): string {
  const rows = configKeys().map(([path, schema]) => [
    `\`${path}\``,
    typeText(schema),
    schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``,
    schema.description ?? '',
  ]);
  return table(['key', 'value', 'default', 'meaning'], rows);
}

export function commandsText(): string {
  return COMMANDS.map(
    (command) => `## tidegate ${command.name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``,
  ).join('\n\n');
}

export function importTable(): string {
  const rows = Object.entries(FOLDERS).map(([folder, { mayImport, reason }]) => [
    `\`${folder}\``,
    mayImport.length === 0 ? 'nothing' : mayImport.join(', '),
    reason,
  ]);
  return table(['folder', 'may import', 'because'], rows);
}

/** A table for each kind of difference. A star marks those that no test shows. */
export function differencesText(): string {
  return Object.entries(DIFFERENCES)
    .map(([heading, differences]) => {
      const rows = Object.values(differences).map(({ pushpin, here, why, unshown }) => [
        unshown === undefined ? pushpin : `${pushpin} \\*`,
        here,
        why,
      ]);
      return `### ${heading}\n\n${table(['Pushpin', 'here', 'why'], rows)}`;
    })
    .join('\n\n');
}

/** Each generated part: its file, its name, its text. */
export const PARTS: readonly { readonly file: string; readonly name: string; readonly text: () => string }[] =
  [
    { file: 'docs/errors.md', name: 'errors', text: errorsTable },
    { file: 'docs/limits.md', name: 'limits', text: limitsTable },
    { file: 'docs/configuration.md', name: 'config keys', text: configTable },
    { file: 'docs/command-line.md', name: 'commands', text: commandsText },
    { file: 'docs/pushpin.md', name: 'differences', text: differencesText },
    { file: 'ARCHITECTURE.md', name: 'import table', text: importTable },
  ];

/** The page with the part put in. */
export function withPart(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end of ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`The page has no place for "${name}"`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

export const pagePath = (file: string): string => ROOT + file;

if (import.meta.main) {
  for (const { file, name, text } of PARTS) {
    const page = readFileSync(pagePath(file), 'utf8');
    writeFileSync(pagePath(file), withPart(page, name, text()));
  }
}
