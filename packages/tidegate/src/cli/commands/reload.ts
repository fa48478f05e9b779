import { defineCommand, EXIT } from '../command.ts';
import { countDifferences, formatDifferences } from '../difference.ts';
import { sendSuccessfully } from '../requests.ts';
import type { Difference } from '../resource.ts';
import { ADMIN_OPTIONS, adminServer } from '../server-options.ts';
import { write } from '../terminal.ts';

/** What a server answers. */
interface Reloaded {
  readonly differences: readonly Difference[];
  readonly hidden: readonly { readonly kind: string; readonly name: string }[];
  readonly restart: readonly string[];
}

/** What is changed, and below it what has to be known besides. */
function linesOf({ differences, hidden, restart }: Reloaded): readonly string[] {
  const lines = [...formatDifferences(differences)];
  lines.push(differences.length === 0 ? 'Nothing has changed' : countDifferences(differences));
  for (const { kind, name } of hidden)
    lines.push(`The ${kind} ${name} of the file hides the one that is stored`);
  if (restart.length > 0) lines.push(`At the next start only: ${restart.join(', ')}`);
  return lines;
}

export const reload = defineCommand({
  name: 'reload',
  summary: 'Have a server read its config file and its certificates anew',
  details:
    'What changes at once are topics, keys, upstreams and routes; other keys of the file are named that take effect at the next\n' +
    'start only. If anything is wrong with the file, nothing changes, and every mistake is named. The server does the same by\n' +
    'itself when the file changes.',
  operands: [],
  options: {
    json: { kind: 'flag', description: 'Print the answer as a JSON object' },
    ...ADMIN_OPTIONS,
  },
  examples: [
    { command: 'tidegate reload', effect: 'After the file was changed, to see what came of it' },
    {
      command: `tidegate reload --json | jq -r '.restart[]'`,
      effect: 'The keys that wait for the next start',
    },
  ],
  async run(options, _operands, terminal) {
    const server = await adminServer(options, terminal);
    const response = await sendSuccessfully(server, '/api/reload', { method: 'POST' });
    const reloaded = (await response.json()) as Reloaded;
    await write(
      terminal.output,
      `${options.json ? JSON.stringify(reloaded) : linesOf(reloaded).join('\n')}\n`,
    );
    return EXIT.success;
  },
});
