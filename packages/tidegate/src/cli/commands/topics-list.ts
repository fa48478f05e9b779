import { defineCommand, EXIT } from '../command.ts';
import { sendSuccessfully, serverAddress, TOKEN_OPTION } from '../requests.ts';
import { write } from '../terminal.ts';
import { formatBytes, formatRetention, type TopicResource, table } from '../topic-resource.ts';

export const topicsList = defineCommand({
  name: 'topics list',
  summary: 'List the topics of a server',
  details: 'A topic stores channels: a declared one those of its name, `default` all others.',
  operands: [],
  options: {
    json: { kind: 'flag', description: 'Print the topics as a JSON array' },
    'admin-url': {
      kind: 'text',
      value: 'URL',
      description: "The server's admin port (default: TIDEGATE_ADMIN_URL or http://127.0.0.1:8081)",
    },
    ...TOKEN_OPTION,
  },
  examples: [
    { command: 'tidegate topics list', effect: 'What there is, and how large' },
    { command: `tidegate topics list --json | jq '.[].name'`, effect: 'The names, for a script' },
  ],
  async run(options, _operands, terminal) {
    const server = serverAddress('admin', { url: options['admin-url'], token: options.token }, terminal);
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
