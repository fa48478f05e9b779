import { TidegateError } from '../../kernel/index.ts';
import { defineCommand, EXIT } from '../command.ts';
import { formatDifferences } from '../difference.ts';
import { sendChanges } from '../resource.ts';
import { readResources } from '../resource-files.ts';
import { ADMIN_OPTIONS, adminServer } from '../server-options.ts';
import { write } from '../terminal.ts';

export const diff = defineCommand({
  name: 'diff',
  summary: 'Say what apply would change',
  details:
    'Changes nothing. Ends with 0 if there is no difference, with 1 if there is one and with 2 if something is wrong, so that a\n' +
    'pipeline can tell them apart. Checks all that `tidegate apply` checks.',
  operands: [],
  options: {
    file: {
      kind: 'text',
      value: 'PATH',
      description: 'A file, a folder with .yaml, .yml and .json files, or -',
      short: 'f',
    },
    json: { kind: 'flag', description: 'Print the differences as a JSON array' },
    ...ADMIN_OPTIONS,
  },
  errorExit: EXIT.misuse,
  examples: [
    { command: 'tidegate diff -f resources/', effect: 'Before applying' },
    { command: 'tidegate diff -f resources/ || echo "drifted, or wrong"', effect: 'In a pipeline' },
  ],
  async run(options, _operands, terminal) {
    if (options.file === undefined) throw new TidegateError('arguments_invalid', '--file PATH is missing');
    const server = await adminServer(options, terminal);
    const differences = (
      await sendChanges(server, { resources: await readResources(options.file, terminal) }, 'dry-run')
    ).filter(({ action }) => action !== 'unchanged');
    const lines = options.json ? [JSON.stringify(differences)] : formatDifferences(differences);
    await write(terminal.output, lines.map((line) => `${line}\n`).join(''));
    return differences.length === 0 ? EXIT.success : EXIT.failure;
  },
});
