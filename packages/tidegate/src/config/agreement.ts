import type { LimitName, Limits } from '../kernel/index.ts';
import { isLoopback, listenSchema, readAddressRange, zmqSettings } from '../listeners/options.ts';
import { checkAccess } from './access-agreement.ts';
import { checkGateway } from './gateway-agreement.ts';
import { type ConfigPath, type ConfigProblem, formatPath, formatValue } from './problem.ts';
import type { ConfigFile } from './schema.ts';
import type { ConfigSource } from './source.ts';

/** Limits of which one must not exceed another, and what would happen if it did. */
const LIMIT_ORDER: readonly (readonly [smaller: LimitName, larger: LimitName, why: string])[] = [
  ['messageBytesMax', 'batchBytesMax', 'the largest message must fit a batch'],
  ['messageBytesMax', 'appendBytesPendingMax', 'the largest message could never be appended'],
  ['webSocketMessageBytesMax', 'appendBytesPendingMax', 'the largest message could never be appended'],
  ['resourcesBytesMax', 'appendBytesPendingMax', 'the record of all resources could never be appended'],
  ['httpTargetBytesMax', 'httpHeadBytesMax', 'the target is a part of the head'],
  ['channelBytesMax', 'httpTargetBytesMax', 'the channel is a part of the target'],
  ['channelBytesMax', 'cursorBytesMax', 'the channel is a part of the cursor'],
  ['tailBytesMax', 'tailsBytesMax', 'one tail must fit all tails'],
  ['flushBytesMax', 'tailBytesMax', 'a flush is taken from the tail'],
  ['appendBytesPendingMax', 'workerUnsentBytesMax', 'a worker that forwards as much would be replaced'],
  ['batchBytesMax', 'workerUnsentBytesMax', 'a worker that forwards the largest batch would be replaced'],
  ['centrifugeForwardedBytesMax', 'workerUnsentBytesMax', 'a worker that forwards as much would be replaced'],
  ['sockJsForwardedBytesMax', 'workerUnsentBytesMax', 'a worker that forwards as much would be replaced'],
  ['centrifugeChannelsBytesMax', 'workerUnsentBytesMax', 'a worker that asks for as much would be replaced'],
  ['liveForwardedBytesMax', 'workerUnsentBytesMax', 'a worker that is told as much would be replaced'],
  ['gripZmqPendingBytesMax', 'appendBytesPendingMax', 'items that are read could not be appended'],
  ['gripFrameBytesMax', 'workerUnsentBytesMax', 'a worker that is asked about as much would be replaced'],
  [
    'keepAliveIntervalMs',
    'webSocketPongTimeoutMs',
    'a peer is asked for a pong once per keep-alive interval',
  ],
];

/**
 * What a schema cannot say: values that are fine by themselves but not together. `limits` are the limits that would
 * be in force.
 */
export function findDisagreements(
  file: string,
  source: ConfigSource,
  content: ConfigFile,
  limits: Limits,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const complain = (path: ConfigPath, message: string, remedy: string): void => {
    problems.push({ file, ...source.placeOfValue(path), path: formatPath(path), message, remedy });
  };
  checkPorts(content, complain);
  checkProxies(content, complain);
  checkZmq(content, complain);
  checkAccess(content, complain);
  checkTls(content, complain);
  checkLimits(content, limits, complain);
  checkTopics(content, limits, complain);
  checkKeys(content, complain);
  checkGateway(content, limits, complain);
  return problems;
}

type Complain = (path: ConfigPath, message: string, remedy: string) => void;

/** What listens, and where. */
interface ListeningPort {
  readonly path: ConfigPath;
  readonly host: string;
  /** Null: it does not. */
  readonly port: number | null;
  readonly name: string;
  /** It stands in the file. */
  readonly isGiven: boolean;
}

/** All that listens, in the order in which a later one has to give way. */
function portsOf(listen: NonNullable<ConfigFile['listen']>): readonly ListeningPort[] {
  const { host, port, adminHost, adminPort } = listenSchema.properties;
  const at = (key: 'port' | 'adminPort' | 'gripPort', ofHost: string, name: string): ListeningPort => ({
    path: ['listen', key],
    host: ofHost,
    port: listen[key] ?? { port, adminPort, gripPort: { default: null } }[key].default,
    name,
    isGiven: listen[key] !== undefined,
  });
  const ofAdmin = listen.adminHost ?? adminHost.default;
  const zmq = zmqSettings(listen.zmq ?? {});
  return [
    at('port', listen.host ?? host.default, 'public port'),
    at('adminPort', ofAdmin, 'admin port'),
    at('gripPort', ofAdmin, 'GRIP port'),
    ...(['pullPort', 'subPort', 'repPort', 'statsPort'] as const).map((key) => ({
      path: ['listen', 'zmq', key],
      host: zmq.host,
      port: zmq[key],
      name: `ZMQ ${key}`,
      isGiven: true,
    })),
  ];
}

function checkPorts({ listen = {} }: ConfigFile, complain: Complain): void {
  const ports = portsOf(listen);
  for (const [index, { path, host, port, name, isGiven }] of ports.entries()) {
    if (port === null || port === 0) continue;
    for (const other of ports.slice(0, index)) {
      if (port !== other.port || host !== other.host) continue;
      complain(
        isGiven ? path : other.path,
        `${port} is the ${other.name} and the ${name}`,
        'Give each a port of its own.',
      );
    }
  }
}

function checkProxies({ listen = {} }: ConfigFile, complain: Complain): void {
  const { trustedProxies = [], trustedFields = [] } = listen;
  for (const [index, range] of trustedProxies.entries()) {
    if (readAddressRange(range) !== null) continue;
    complain(
      ['listen', 'trustedProxies', index],
      `${formatValue(range)} is neither an address nor a range of addresses`,
      'Write an address such as 192.0.2.7 or 2001:db8::7, or a range such as 10.0.0.0/8; names are not looked up.',
    );
  }
  if (trustedFields.length > 1 && trustedFields.includes('forwarded')) {
    complain(
      ['listen', 'trustedFields'],
      'forwarded says what the others say too, and they can contradict each other',
      'Name forwarded alone, or leave it out.',
    );
  }
  if (trustedFields.length > 0 && trustedProxies.length === 0) {
    complain(
      ['listen', 'trustedFields'],
      'There is nobody whose fields are believed',
      'Name the load balancers in listen.trustedProxies, or remove the key.',
    );
  }
}

/** A socket of ZeroMQ asks nobody who he is. */
function checkZmq({ listen }: ConfigFile, complain: Complain): void {
  const { host, openToNetwork } = zmqSettings(listen?.zmq ?? {});
  if (openToNetwork || isLoopback(host)) return;
  complain(
    ['listen', 'zmq', 'host'],
    `${formatValue(host)} can be reached from other machines, and whoever reaches it may publish without a credential`,
    'Write 127.0.0.1, or openToNetwork: true beside it if the network is to be trusted.',
  );
}

function checkTls({ tls }: ConfigFile, complain: Complain): void {
  if (tls?.clientCertificates === undefined || tls.clientCa !== undefined) return;
  complain(
    ['tls', 'clientCertificates'],
    'Client certificates are asked for, and no authority is named whose certificates are believed',
    'Name a file with the authorities in tls.clientCa, or remove the key.',
  );
}

function checkLimits(content: ConfigFile, limits: Limits, complain: Complain): void {
  for (const [smaller, larger, why] of LIMIT_ORDER) {
    if (limits[smaller] <= limits[larger]) continue;
    const culprit = content.limits?.[smaller] === undefined ? larger : smaller;
    const rule = `${smaller} (${limits[smaller]}) must not exceed ${larger} (${limits[larger]})`;
    const remedy =
      culprit === smaller
        ? `Write at most ${limits[larger]}, or raise ${larger}.`
        : `Write at least ${limits[smaller]}, or lower ${smaller}.`;
    complain(['limits', culprit], `${rule}: ${why}`, remedy);
  }
}

function checkTopics(content: ConfigFile, limits: Limits, complain: Complain): void {
  const topics = Object.entries(content.topics ?? {});
  if (topics.length > limits.topicsMax) {
    complain(
      ['topics'],
      `There are ${topics.length} topics`,
      `Declare at most ${limits.topicsMax}, or raise limits.topicsMax.`,
    );
  }
  const owners = new Map<string, string>();
  for (const [name, topic] of topics) {
    const path = ['topics', name];
    if (topic.partitions !== undefined && topic.partitions > limits.partitionsMax) {
      complain(
        [...path, 'partitions'],
        `${topic.partitions} is too large`,
        `Write at most ${limits.partitionsMax}, or raise limits.partitionsMax.`,
      );
    }
    if (topic.retention?.tombstoneSeconds !== undefined && topic.compacted !== true) {
      complain(
        [...path, 'retention', 'tombstoneSeconds'],
        'Only a compacted topic has tombstones',
        'Remove the key, or write compacted: true.',
      );
    }
    for (const [index, prefix] of (topic.prefixes ?? []).entries()) {
      const owner = owners.get(prefix);
      const first = prefix.split('/')[0];
      if (owner !== undefined) {
        complain(
          [...path, 'prefixes', index],
          `${formatValue(prefix)} is a prefix of the topic ${owner} already`,
          'Remove one of the two.',
        );
      } else if (prefix.includes('/') && content.topics?.[first] !== undefined) {
        complain(
          [...path, 'prefixes', index],
          `Channels that begin with ${formatValue(prefix)} belong to the topic ${first}, by its name`,
          'Choose a prefix that is not the name of a topic.',
        );
      }
      owners.set(prefix, name);
    }
  }
}

function checkKeys(content: ConfigFile, complain: Complain): void {
  const owners = new Map<string, string>();
  for (const [name, { hash }] of Object.entries(content.keys ?? {})) {
    const owner = owners.get(hash);
    if (owner !== undefined) {
      complain(
        ['keys', name, 'hash'],
        `The key ${owner} has the same hash`,
        'Make each a key of its own with tidegate key create --local.',
      );
    }
    owners.set(hash, name);
  }
}
