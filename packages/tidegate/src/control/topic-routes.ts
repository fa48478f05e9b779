import { TidegateError } from '../kernel/index.ts';
import type { AdminRoute } from '../listeners/index.ts';
import type { Log, Topic } from '../log/index.ts';
import { jsonResponse } from './json-response.ts';

const SECOND_MS = 1000;

const inSeconds = (milliseconds: number | null): number | null =>
  milliseconds === null ? null : milliseconds / SECOND_MS;

/** A topic as a resource: what was declared under `spec`, in the config file's words, and what there is under `status`. */
function topicResource(log: Log, topic: Topic) {
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => {
    const { start, end } = log.bounds(topic.name, partition);
    return { partition, start, end };
  });
  const { recordsStored, bytesStored } = log.statistics(topic.name);
  return {
    kind: 'topic',
    name: topic.name,
    spec: {
      partitions: topic.partitions,
      durability: topic.durability,
      retention: {
        ageSeconds: inSeconds(topic.retentionMs),
        sizeBytes: topic.retentionBytes,
        tombstoneSeconds: inSeconds(topic.tombstoneRetentionMs),
      },
      compacted: topic.compacted,
      keyIndex: topic.keyIndex,
    },
    status: {
      epoch: topic.epoch,
      created: new Date(topic.createdMs).toISOString(),
      records: recordsStored,
      bytes: bytesStored,
      partitions,
    },
  };
}

/** Topics that a person declared or uses; what starts with an underscore is the server's own. */
function visibleTopics(log: Log): readonly Topic[] {
  const topics = [...log.topics.values()].filter((topic) => !topic.name.startsWith('_'));
  return topics.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `GET /api/topic` lists all topics, `GET /api/topic/{name}` describes one. */
export function topicRoutes(log: Log): readonly AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/topic',
      handle: () =>
        jsonResponse(200, { items: visibleTopics(log).map((topic) => topicResource(log, topic)) }),
    },
    {
      method: 'GET',
      path: '/api/topic/{name}',
      handle({ parameters }) {
        const { name } = parameters;
        const topic = visibleTopics(log).find((candidate) => candidate.name === name);
        if (topic === undefined) throw new TidegateError('log_topic_unknown', `"${name}"`);
        return jsonResponse(200, topicResource(log, topic));
      },
    },
  ];
}
