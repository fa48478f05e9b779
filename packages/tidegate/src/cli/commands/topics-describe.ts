import { defineCommand, EXIT } from '../command.ts';
import { sendSuccessfully } from '../requests.ts';
import { ADMIN_OPTIONS, adminServer } from '../server-options.ts';
import { write } from '../terminal.ts';
import { formatBytes, formatRetention, formatSeconds, type TopicResource, table } from '../topic-resource.ts';

function describe(topic: TopicResource): string {
  const { spec, status } = topic;
  const rows = [
    ['name', topic.name],
    ['durability', spec.durability],
    ['keeps', formatRetention(topic)],
    ...(spec.compacted ? [['tombstones', formatSeconds(spec.retention.tombstoneSeconds)]] : []),
    ['key index', spec.keyIndex ? 'yes' : 'no'],
    ['epoch', status.epoch],
    ['created', status.created],
    ['records', String(status.records)],
    ['size', formatBytes(status.bytes)],
  ];
  const bounds = status.partitions.map(({ partition, start, end }) => [
    String(partition),
    String(start),
    String(end),
  ]);
  return `${table(rows)}\n\n${table([['PARTITION', 'START', 'END'], ...bounds])}`;
}

export const topicsDescribe = defineCommand({
  name: 'topics describe',
  summary: 'Describe a topic: how it is stored and what it holds',
  details:
    'START is the first offset that can still be read in a partition, END the one that the next record gets.',
  operands: [{ name: 'NAME', required: 'required' }],
  options: {
    json: { kind: 'flag', description: 'Print the topic as JSON' },
    ...ADMIN_OPTIONS,
  },
  examples: [
    {
      command: 'tidegate topics describe default',
      effect: 'The topic of all channels that no other topic claims',
    },
    { command: 'tidegate topics describe orders --json', effect: 'The same for a script' },
  ],
  async run(options, [name], terminal) {
    const server = await adminServer(options, terminal);
    const response = await sendSuccessfully(server, `/api/topic/${encodeURIComponent(name)}`, {});
    const topic = (await response.json()) as TopicResource;
    await write(terminal.output, `${options.json ? JSON.stringify(topic) : describe(topic)}\n`);
    return EXIT.success;
  },
});
