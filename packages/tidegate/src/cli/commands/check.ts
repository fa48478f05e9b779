import { formatProblem, loadConfig } from '../../config/index.ts';
import { defineCommand, EXIT } from '../command.ts';
import { write } from '../terminal.ts';

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const check = defineCommand({
  name: 'check',
  summary: 'Check a config file',
  details:
    'Names every mistake with its place, and ends with 1 if there is any. References to environment variables are\n' +
    'replaced as the server would replace them.',
  operands: [{ name: 'FILE', required: 'required' }],
  options: { json: { kind: 'flag', description: 'Print the mistakes as a JSON array' } },
  examples: [
    { command: 'tidegate check tidegate.yaml', effect: 'Before a restart' },
    {
      command: `tidegate check tidegate.yaml --json | jq -r '.[].message'`,
      effect: 'In an editor or a script',
    },
  ],
  async run(options, [file], terminal) {
    const request = {
      file,
      overrides: {},
      environment: terminal.environment,
      workingFolder: terminal.workingFolder,
    };
    const loaded = await loadConfig(request);
    const problems = loaded.kind === 'problems' ? loaded.problems : [];
    if (options.json) {
      await write(terminal.output, `${JSON.stringify(problems)}\n`);
    } else if (loaded.kind === 'config') {
      const { resources } = loaded.config;
      // The topic `default` is there whatever the file says.
      const topics = resources.filter(({ kind }) => kind === 'topic').length - 1;
      const declared = [counted(topics, 'declared topic')];
      for (const kind of ['key', 'upstream', 'route']) {
        const count = resources.filter((resource) => resource.kind === kind).length;
        if (count > 0) declared.push(counted(count, kind));
      }
      await write(terminal.output, `${file} is fine: ${declared.join(', ')}\n`);
    } else {
      const count = `${problems.length} mistake${problems.length === 1 ? '' : 's'}`;
      await write(terminal.output, `${problems.map(formatProblem).join('\n')}\n${file} has ${count}\n`);
    }
    return problems.length === 0 ? EXIT.success : EXIT.failure;
  },
});
