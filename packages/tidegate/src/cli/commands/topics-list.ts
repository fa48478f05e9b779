import { defineCommand, EXIT } from '../command.ts';
import { sendSuccessfully } from '../requests.ts';
import { ADMIN_OPTIONS, adminServer } from '../server-options.ts';
import { write } from '../terminal.ts';
import { formatBytes, formatRetention, type TopicResource, table } from '../topic-resource.ts';

export const topicsList = defineCommand({
  name: 'topics list',
  summary: 'List the topics of a server',
  details: 'A topic stores channels: a declared one those of its name, `default` all others.',
  operands: [],
  options: {
    json: { kind: 'flag', description: 'Print the topics as a JSON array' },
    ...ADMIN_OPTIONS,
  },
  examples: [
    { command: 'tidegate topics list', effect: 'What there is, and how large' },
    { command: `tidegate topics list --json | jq '.[].name'`, effect: 'The names, for a script' },
  ],
  async run(options, _operands, terminal) {
    const server = await adminServer(options, terminal);
    const response = await sendSuccessfully(server, '/api/topic', {});
    const declared = (await response.json()) as { readonly items: readonly Partial<TopicResource>[] };
    // One that could not be created yet has nothing to tell of.
    const items = declared.items.filter((item) => item.status !== undefined) as readonly TopicResource[];
    const rows = items.map((topic) => [
      topic.name,
      String(topic.spec.partitions),
      topic.spec.durability,
      formatRetention(topic),
      String(topic.status.records),
      formatBytes(topic.status.bytes),
    ]);
    const heading = ['TOPIC', 'PARTITIONS', 'DURABILITY', 'KEEPS', 'RECORDS', 'SIZE'];
    await write(
      terminal.output,
      options.json ? `${JSON.stringify(items)}\n` : `${table([heading, ...rows])}\n`,
    );
    return EXIT.success;
  },
});
