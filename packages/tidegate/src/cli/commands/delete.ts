import { TidegateError } from '../../kernel/index.ts';
import { defineCommand, EXIT } from '../command.ts';
import { printDifferences } from '../difference.ts';
import { type RequestedResource, sendChanges } from '../resource.ts';
import { readResources } from '../resource-files.ts';
import { ADMIN_OPTIONS, adminServer } from '../server-options.ts';
import type { Terminal } from '../terminal.ts';

async function chosen(
  operands: readonly string[],
  file: string | undefined,
  terminal: Terminal,
): Promise<readonly RequestedResource[]> {
  const [kind, name] = operands;
  if (file !== undefined) {
    if (kind !== undefined) throw new TidegateError('arguments_invalid', 'KIND cannot be given with --file');
    // What a file says of a resource does not matter for deleting it, but its version does.
    return (await readResources(file, terminal)).map(({ spec: _spec, ...resource }) => resource);
  }
  if (kind === undefined || name === undefined)
    throw new TidegateError('arguments_invalid', 'KIND and NAME, or --file PATH, are missing');
  return [{ kind, name }];
}

export const deleteCommand = defineCommand({
  name: 'delete',
  summary: 'Delete resources: all that are named, or none',
  details: 'Deleting a topic deletes its messages; deleting a key ends what rests on it.',
  operands: [
    { name: 'KIND', required: 'optional' },
    { name: 'NAME', required: 'optional' },
  ],
  options: {
    file: {
      kind: 'text',
      value: 'PATH',
      description: 'Delete what a file, a folder or - names instead',
      short: 'f',
    },
    json: { kind: 'flag', description: 'Print what was deleted as a JSON array' },
    ...ADMIN_OPTIONS,
  },
  examples: [
    { command: 'tidegate delete key backend', effect: 'Revoke a key' },
    { command: 'tidegate delete -f resources/', effect: 'All that the files of a folder name' },
  ],
  async run(options, operands, terminal) {
    const server = await adminServer(options, terminal);
    const resources = await chosen(operands, options.file, terminal);
    const differences = await sendChanges(server, { delete: resources }, 'apply');
    await printDifferences(differences, options.json ? 'json' : 'text', terminal);
    return EXIT.success;
  },
});
