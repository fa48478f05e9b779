import { defineCommand, EXIT } from '../command.ts';
import { type ServerAddress, sendSuccessfully } from '../requests.ts';
import { type ResourceView, resourcePath } from '../resource.ts';
import { ADMIN_OPTIONS, adminServer } from '../server-options.ts';
import { write } from '../terminal.ts';
import { table } from '../topic-resource.ts';

async function getJson<Value>(server: ServerAddress, path: string): Promise<Value> {
  return (await (await sendSuccessfully(server, path, {})).json()) as Value;
}

/** The resources that are asked for, in the order of the kinds. */
async function resources(
  server: ServerAddress,
  kind: string | undefined,
  name: string | undefined,
): Promise<readonly ResourceView[]> {
  if (kind !== undefined && name !== undefined)
    return [await getJson<ResourceView>(server, resourcePath(kind, name))];
  const kinds =
    kind === undefined
      ? (await getJson<{ items: readonly { kind: string }[] }>(server, '/api/schemas')).items.map(
          (item) => item.kind,
        )
      : [kind];
  const lists: ResourceView[] = [];
  for (const each of kinds) {
    const { items } = await getJson<{ items: readonly ResourceView[] }>(
      server,
      `/api/${encodeURIComponent(each)}`,
    );
    lists.push(...items);
  }
  return lists;
}

/** Resources as documents that `tidegate apply` takes. */
async function yamlOf(views: readonly ResourceView[]): Promise<string> {
  const { stringify } = await import('yaml');
  return views.map(({ kind, name, version, spec }) => stringify({ kind, name, version, spec })).join('---\n');
}

export const get = defineCommand({
  name: 'get',
  summary: 'Show resources: all, those of a kind, or one',
  details:
    'One resource is printed as YAML that `tidegate apply` takes; with its version, so that applying it fails if somebody\n' +
    'else has changed it since. SOURCE tells where it comes from: the config file, or stored by the admin API.',
  operands: [
    { name: 'KIND', required: 'optional' },
    { name: 'NAME', required: 'optional' },
  ],
  options: {
    json: { kind: 'flag', description: 'Print JSON: one object, or an array' },
    yaml: { kind: 'flag', description: 'Print many as YAML too' },
    ...ADMIN_OPTIONS,
  },
  examples: [
    { command: 'tidegate get', effect: 'Everything that is configured' },
    {
      command: 'tidegate get topic orders > orders.yaml',
      effect: 'Into a file, to change it and apply it again',
    },
    { command: `tidegate get key --json | jq -r '.[].name'`, effect: 'The names, for a script' },
  ],
  async run(options, [kind, name], terminal) {
    const server = await adminServer(options, terminal);
    const views = await resources(server, kind, name);
    if (options.json) {
      await write(terminal.output, `${JSON.stringify(name === undefined ? views : views[0])}\n`);
    } else if (options.yaml || name !== undefined) {
      await write(terminal.output, await yamlOf(views));
    } else {
      const rows = views.map((view) => [view.kind, view.name, String(view.version), view.source]);
      await write(terminal.output, `${table([['KIND', 'NAME', 'VERSION', 'SOURCE'], ...rows])}\n`);
    }
    return EXIT.success;
  },
});
