import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TidegateError } from '../../kernel/index.ts';
import { defineCommand, EXIT } from '../command.ts';
import { type Terminal, write } from '../terminal.ts';

async function readText(file: string, { workingFolder }: Terminal): Promise<string> {
  try {
    return await readFile(resolve(workingFolder, file), 'utf8');
  } catch (error) {
    throw new TidegateError('arguments_invalid', `${file} cannot be read`, { cause: error });
  }
}

export const importPushpin = defineCommand({
  name: 'import pushpin',
  summary: "Turn Pushpin's routes file into resources",
  details:
    'Prints an upstream and a route for each line, as YAML that `tidegate apply` takes. What means something else here, or has no\n' +
    'counterpart, stands as a comment above the resource, and goes to the standard error as well.',
  operands: [{ name: 'FILE', required: 'required' }],
  options: {},
  examples: [
    {
      command: 'tidegate import pushpin /etc/pushpin/routes > routes.yaml',
      effect: 'Into a file, to look at it',
    },
    {
      command: 'tidegate import pushpin /etc/pushpin/routes | tidegate apply -f -',
      effect: 'Straight into a server',
    },
  ],
  async run(_options, [file], terminal) {
    const [{ importPushpinRoutes }, { stringify }] = await Promise.all([
      import('../../gateway/options.ts'),
      import('yaml'),
    ]);
    const { routes, leftOut } = importPushpinRoutes(await readText(file, terminal));
    const documents: string[] = [];
    for (const { line, name, upstream, route, notes } of routes) {
      const comments = notes.map((note) => `# Line ${line}: ${note}\n`).join('');
      documents.push(comments + stringify({ kind: 'upstream', name, spec: upstream }));
      documents.push(stringify({ kind: 'route', name, spec: route }));
      for (const note of notes) await write(terminal.errors, `${file}:${line}: ${note}\n`);
    }
    for (const { line, reason } of leftOut)
      await write(terminal.errors, `${file}:${line}: left out: ${reason}\n`);
    await write(terminal.output, documents.join('---\n'));
    return EXIT.success;
  },
});
