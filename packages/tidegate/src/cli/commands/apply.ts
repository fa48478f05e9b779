import { defineCommand, EXIT } from '../command.ts';
import { countDifferences, formatDifferences } from '../difference.ts';
import { sendChanges } from '../resource.ts';
import { FILE_OPTION, readRequested } from '../resource-files.ts';
import { ADMIN_OPTIONS, adminServer } from '../server-options.ts';
import { write } from '../terminal.ts';

export const apply = defineCommand({
  name: 'apply',
  summary: 'Create or change resources as files say: all, or none',
  details:
    'The files are YAML or JSON, with any number of resources {kind, name, spec}. If one of them is wrong, or has been changed by\n' +
    'somebody else since the version that it names, nothing is changed. What the files do not name stays as it is.',
  operands: [],
  options: {
    ...FILE_OPTION,
    json: { kind: 'flag', description: 'Print what changed as a JSON array' },
    ...ADMIN_OPTIONS,
  },
  examples: [
    { command: 'tidegate apply -f orders.yaml', effect: 'One file' },
    { command: 'tidegate apply -f resources/', effect: 'A folder, with all that is below it' },
    {
      command: `echo '{"kind":"topic","name":"orders","spec":{"partitions":4}}' | tidegate apply -f -`,
      effect: 'From a pipe',
    },
  ],
  async run(options, _operands, terminal) {
    const resources = await readRequested(options, terminal);
    const server = await adminServer(options, terminal);
    const differences = await sendChanges(server, { resources }, 'apply');
    const text = options.json
      ? JSON.stringify(differences)
      : [...formatDifferences(differences), countDifferences(differences)].join('\n');
    await write(terminal.output, `${text}\n`);
    return EXIT.success;
  },
});
