import { defineCommand, EXIT } from '../command.ts';
import { printDifferences } from '../difference.ts';
import { sendChanges } from '../resource.ts';
import { FILE_OPTION, readRequested } from '../resource-files.ts';
import { ADMIN_OPTIONS, adminServer } from '../server-options.ts';

export const diff = defineCommand({
  name: 'diff',
  summary: 'Say what apply would change',
  details:
    'Changes nothing. Ends with 0 if there is no difference, with 1 if there is one and with 2 if something is wrong, so that a\n' +
    'pipeline can tell them apart. Checks all that `tidegate apply` checks.',
  operands: [],
  options: {
    ...FILE_OPTION,
    json: { kind: 'flag', description: 'Print the differences as a JSON array' },
    ...ADMIN_OPTIONS,
  },
  errorExit: EXIT.misuse,
  examples: [
    { command: 'tidegate diff -f resources/', effect: 'Before applying' },
    { command: 'tidegate diff -f resources/ || echo "drifted, or wrong"', effect: 'In a pipeline' },
  ],
  async run(options, _operands, terminal) {
    const resources = await readRequested(options, terminal);
    const server = await adminServer(options, terminal);
    const all = await sendChanges(server, { resources }, 'dry-run');
    const differences = all.filter(({ action }) => action !== 'unchanged');
    await printDifferences(differences, options.json ? 'json' : 'text', terminal);
    return differences.length === 0 ? EXIT.success : EXIT.failure;
  },
});
