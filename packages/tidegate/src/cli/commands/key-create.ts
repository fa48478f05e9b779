import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { systemRandom, TidegateError } from '../../kernel/index.ts';
import { defineCommand, EXIT } from '../command.ts';
import { parseObject, sendSuccessfully } from '../requests.ts';
import { resourcePath } from '../resource.ts';
import { ADMIN_OPTIONS, adminServer } from '../server-options.ts';
import { write } from '../terminal.ts';

/** 256 bits: nobody finds one by trying. */
const SECRET_WORDS = 8;

/** What changes for everybody else with the first key. Issuers, and rules for those without a credential, have closed it before. */
const FIRST_KEY =
  'This is the first key. If the server was open to everybody, it is so no longer: whoever shows no credential may do only\n' +
  'what access.anonymous in the config file allows, which is nothing unless it is there. Whoever is there without one has to\n' +
  'leave.\n';

/**
 * A new key: `tg_`, the name, `_` and 43 characters of base64url (RFC 4648, section 5). The secret has always the same length, so
 * that the name can be told from it whatever characters it has.
 */
function newKey(name: string): string {
  const secret = Buffer.alloc(SECRET_WORDS * 4);
  for (let word = 0; word < SECRET_WORDS; word++) secret.writeUInt32LE(systemRandom.uint32(), word * 4);
  return `tg_${name}_${secret.toString('base64url')}`;
}

/** Reads `orders/#=publish,subscribe notes/+=subscribe`. @throws TidegateError arguments_invalid */
function parseAllow(text: string): Readonly<Record<string, readonly string[]>> {
  const allow: Record<string, readonly string[]> = {};
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    // A channel may have the character, a permission does not.
    const mark = part.lastIndexOf('=');
    const permissions = part
      .slice(mark + 1)
      .split(',')
      .filter((word) => word !== '');
    if (mark < 1 || permissions.length === 0) {
      const form = `'orders/#=publish,subscribe'`;
      throw new TidegateError('arguments_invalid', `--allow takes ${form}, not ${JSON.stringify(part)}`);
    }
    allow[part.slice(0, mark)] = permissions;
  }
  return allow;
}

export const keyCreate = defineCommand({
  name: 'key create',
  summary: 'Make an API key and print it once',
  details:
    'The server stores a hash of the key and what it allows; the key itself is printed now and never again. Permissions are\n' +
    'publish, subscribe, history, presence, purge and admin; several patterns stand in one --allow, with spaces between them.',
  operands: [{ name: 'NAME', required: 'required' }],
  options: {
    allow: { kind: 'text', value: 'LIST', description: `What it allows: 'PATTERN=PERMISSION,… PATTERN=…'` },
    expires: {
      kind: 'text',
      value: 'TIME',
      description: 'When it ends, such as 2027-01-31T12:00:00Z (default: never)',
    },
    local: { kind: 'flag', description: 'Store nothing: print what belongs under keys: in the config file' },
    json: { kind: 'flag', description: 'Print {"name","key","hash"} as JSON' },
    ...ADMIN_OPTIONS,
  },
  examples: [
    {
      command: `tidegate key create backend --allow '#=publish,history'`,
      effect: 'For a program that publishes anywhere',
    },
    {
      command: `tidegate key create partner --allow 'orders/+=subscribe' --expires 2027-01-01T00:00:00Z`,
      effect: 'For somebody who may watch orders for a while',
    },
    { command: `tidegate key create ops --allow '#=admin' --local`, effect: 'For the config file' },
  ],
  async run(options, [name], terminal) {
    if (options.allow === undefined) throw new TidegateError('arguments_invalid', '--allow LIST is missing');
    const key = newKey(name);
    const hash = `sha256:${createHash('sha256').update(key).digest('hex')}`;
    const expires = options.expires === undefined ? {} : { expires: options.expires };
    const spec = { hash, allow: parseAllow(options.allow), ...expires };
    let isFirst = false;
    if (!options.local) {
      const server = await adminServer(options, terminal);
      const others = parseObject(await (await sendSuccessfully(server, '/api/key', {})).text()).items;
      isFirst = Array.isArray(others) && others.length === 0;
      await sendSuccessfully(server, resourcePath('key', name), {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'if-none-match': '*' },
        body: JSON.stringify({ spec }),
      });
    }
    if (options.json) {
      await write(terminal.output, `${JSON.stringify({ name, key, hash })}\n`);
    } else {
      await write(terminal.output, `${key}\n`);
      const told = options.local
        ? `Nothing is stored. For the config file:\n\nkeys:\n  ${name}: ${JSON.stringify(spec)}\n`
        : `Keep it: it is shown this once. The server knows only its hash.\n`;
      await write(terminal.errors, told);
    }
    if (isFirst) await write(terminal.errors, FIRST_KEY);
    return EXIT.success;
  },
});
