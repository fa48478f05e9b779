import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf } from './check-text.ts';

interface Case {
  readonly name: string;
  readonly text: string;
  /** `line:column path: message`, of each problem. */
  readonly problems: readonly string[];
  readonly remedy: RegExp;
  readonly environment?: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  {
    name: 'a section that lacks a key says which',
    text: 'tls: {certificates: [{certificate: a.pem}]}\n',
    problems: ['1:22 tls.certificates[0]: The key key is missing'],
    remedy: /^Write key: and its value\.$/,
  },
  {
    name: 'TLS without a certificate is none',
    text: 'tls: {certificates: []}\n',
    problems: ['1:21 tls.certificates: The list is empty'],
    remedy: /^Write at least one item, or remove the section\.$/,
  },
  {
    name: 'a server name has the form of one',
    text: 'tls: {certificates: [{certificate: a, key: b, names: ["a.*.example"]}]}\n',
    problems: ['1:55 tls.certificates[0].names[0]: "a.*.example" does not have the right form'],
    remedy: /such as example\.org, or \*\.example\.org/,
  },
  {
    name: 'certificates of clients need an authority',
    text: 'tls: {certificates: [{certificate: a, key: b}], clientCertificates: require}\n',
    problems: [
      '1:69 tls.clientCertificates: Client certificates are asked for, and no authority is named whose certificates are believed',
    ],
    remedy: /in tls\.clientCa, or remove the key\.$/,
  },
  {
    name: 'an unknown key is named with the key that was probably meant',
    text: 'listen:\n  prot: 80\n',
    problems: ['2:3 listen: "prot" is not a known key'],
    remedy:
      /Did you mean port\? The keys here are host, port, adminHost, adminPort, gripPort, trustedProxies, trustedFields, zmq\./,
  },
  {
    name: 'an unknown section lists the sections',
    text: 'something: 1\n',
    problems: ['1:1 : "something" is not a known key'],
    remedy:
      /^The keys here are listen, tls, workers, data, topics, keys, access, upstreams, routes, limits, cors, websocket, logLevel\.$/,
  },
  {
    name: 'a key that lacks its hash is told so',
    text: 'keys:\n  app: {allow: {a: [publish]}}\n',
    problems: ['2:8 keys.app: The key hash is missing'],
    remedy: /^Write hash: and its value\.$/,
  },
  {
    name: 'a time without its zone is refused',
    text: `keys:\n  app: {hash: "sha256:${'0'.repeat(64)}", allow: {a: [publish]}, expires: "2027-01-01T00:00:00"}\n`,
    problems: ['2:122 keys.app.expires: "2027-01-01T00:00:00" is not a time'],
    remedy: /2027-01-31T12:00:00Z/,
  },
  {
    name: 'two keys with one hash are one key too many',
    text: `keys:\n  a: {hash: "sha256:${'0'.repeat(64)}", allow: {}}\n  b: {hash: "sha256:${'0'.repeat(64)}", allow: {}}\n`,
    problems: ['3:13 keys.b.hash: The key a has the same hash'],
    remedy: /tidegate key create/,
  },
  {
    name: 'a name that no key can have is refused',
    text: `keys:\n  "a b": {hash: "sha256:${'0'.repeat(64)}", allow: {}}\n`,
    problems: ['2:3 keys: "a b" cannot be the name of a key'],
    remedy: /1 to 64 letters/,
  },
  {
    name: 'an unknown limit is named with the nearest',
    text: 'limits: {mesageBytesMax: 5}\n',
    problems: ['1:10 limits: "mesageBytesMax" is not a known key'],
    remedy: /Did you mean messageBytesMax\?/,
  },
  {
    name: 'a number in quotes is told to lose them',
    text: 'listen:\n  port: "8080"\n',
    problems: ['2:9 listen.port: "8080" is text, not a whole number from 0 to 65535'],
    remedy: /^Write it without quotes: 8080$/,
  },
  {
    name: 'a value of another type is told what fits',
    text: 'topics:\n  orders:\n    partitions: three\n',
    problems: ['3:17 topics.orders.partitions: "three" is not a whole number of at least 1'],
    remedy: /^Write a whole number of at least 1\.$/,
  },
  {
    name: 'a value beyond its range is told the range',
    text: 'limits:\n  drainTimeoutMs: 5\n',
    problems: ['2:19 limits.drainTimeoutMs: 5 is too small'],
    remedy: /from 100 to 600000/,
  },
  {
    name: 'a choice that does not exist is told the choices',
    text: 'topics: {orders: {durability: sync}}\n',
    problems: ['1:31 topics.orders.durability: "sync" is not one of none, written or synced'],
    remedy: /Did you mean synced\? Write one of none, written or synced\./,
  },
  {
    name: 'a key without value is told so at the key',
    text: 'data:\n',
    problems: ['1:1 data: The value is missing'],
    remedy: /or remove the key/,
  },
  {
    name: 'text that YAML takes for a mapping is told about quotes',
    text: 'topics: {orders: {prefixes: [chat:]}}\n',
    problems: ['1:30 topics.orders.prefixes[0]: {"chat":null} is not text'],
    remedy: /stands in quotes/,
  },
  {
    name: 'the topic default takes only retention',
    text: 'topics:\n  default:\n    partitions: 2\n',
    problems: ['3:5 topics.default: "partitions" cannot be set for the topic default'],
    remedy: /Only retention/,
  },
  {
    name: "a topic cannot have a name of the server's own",
    text: 'topics:\n  _orders: {}\n',
    problems: ['2:3 topics: "_orders" cannot be the name of a topic'],
    remedy: /no underscore at the beginning/,
  },
  {
    name: 'an origin with a path is refused',
    text: 'cors:\n  origins: ["https://example.org/app"]\n',
    problems: ['2:13 cors.origins[0]: "https://example.org/app" does not have the right form'],
    remedy: /without a path/,
  },
  {
    name: 'an issuer without a key is told what would be one',
    text: 'access: {issuers: {app: {algorithms: [RS256]}}}\n',
    problems: ['1:25 access.issuers.app: The issuer has no key'],
    remedy: /secret, publicKey, jwksFile, jwksUrl/,
  },
  {
    name: 'an issuer whose keys are elsewhere says which of the tokens that they sign are meant',
    text: 'access: {issuers: {app: {algorithms: [RS256], jwksUrl: "https://a.example/jwks"}}}\n',
    problems: [
      '1:25 access.issuers.app: Every token that is signed with the keys at jwksUrl would be believed, also those for other applications',
    ],
    remedy: /audience/,
  },
  {
    name: 'keys are not fetched where others could put theirs in their place',
    text: 'access: {issuers: {app: {algorithms: [RS256], audience: a, jwksUrl: "http://127.0.0.1.a.example/jwks"}}}\n',
    problems: [
      "1:69 access.issuers.app.jwksUrl: Whoever is on the way to 127.0.0.1.a.example could put keys of their own in place of the issuer's",
    ],
    remedy: /https/,
  },
  {
    name: 'where keys are fetched from is a URL',
    text: 'access: {issuers: {app: {algorithms: [RS256], issuer: a, jwksUrl: "https://"}}}\n',
    problems: ['1:67 access.issuers.app.jwksUrl: "https://" is not a URL'],
    remedy: /such as/,
  },
  {
    name: 'an issuer has one key and not two',
    text: 'access: {issuers: {app: {algorithms: [RS256], publicKey: x, jwksFile: y}}}\n',
    problems: ['1:25 access.issuers.app: The issuer has publicKey and jwksFile'],
    remedy: /one of/,
  },
  {
    name: 'a public key does not verify what a shared secret signs',
    text: 'access:\n  issuers:\n    app: {algorithms: [RS256, HS256], publicKey: x}\n',
    problems: ['3:31 access.issuers.app.algorithms[1]: HS256 is not verified with publicKey'],
    remedy: /RS256, ES256 or EdDSA/,
  },
  {
    name: 'a pattern that means nothing is refused',
    text: 'access:\n  anonymous:\n    "#/a": [subscribe]\n',
    problems: ['3:12 access.anonymous."#/a": In "#/a" the wildcard # is not the last segment'],
    remedy: /\+ for a segment/,
  },
  {
    name: 'the two ports cannot be one',
    text: 'listen:\n  adminPort: 8080\n',
    problems: ['2:14 listen.adminPort: 8080 is the public port and the admin port'],
    remedy: /a port of its own/,
  },
  {
    name: 'the port for GRIP is neither of the two',
    text: 'listen:\n  port: 8000\n  gripPort: 8081\n',
    problems: ['3:13 listen.gripPort: 8081 is the admin port and the GRIP port'],
    remedy: /a port of its own/,
  },
  {
    name: 'a trusted proxy is an address or a range',
    text: 'listen:\n  trustedProxies: [10.0.0.0/8, lb.example, 10.0.0.0/33]\n',
    problems: [
      '2:32 listen.trustedProxies[1]: "lb.example" is neither an address nor a range of addresses',
      '2:44 listen.trustedProxies[2]: "10.0.0.0/33" is neither an address nor a range of addresses',
    ],
    remedy: /a range such as 10\.0\.0\.0\/8; names are not looked up\.$/,
  },
  {
    name: 'trusted fields do not say the same thing twice',
    text: 'listen:\n  trustedProxies: [10.0.0.1]\n  trustedFields: [x-forwarded-for, forwarded]\n',
    problems: [
      '3:18 listen.trustedFields: forwarded says what the others say too, and they can contradict each other',
    ],
    remedy: /Name forwarded alone/,
  },
  {
    name: 'trusted fields are those of somebody',
    text: 'listen:\n  trustedFields: [forwarded]\n',
    problems: ['2:18 listen.trustedFields: There is nobody whose fields are believed'],
    remedy: /listen\.trustedProxies/,
  },
  {
    name: 'a port of ZeroMQ is none of the others',
    text: 'listen:\n  zmq: { pullPort: 8080, repPort: 5563, subPort: 5563 }\n',
    problems: [
      '2:20 listen.zmq.pullPort: 8080 is the public port and the ZMQ pullPort',
      '2:35 listen.zmq.repPort: 5563 is the ZMQ subPort and the ZMQ repPort',
    ],
    remedy: /a port of its own/,
  },
  {
    name: 'a port of ZeroMQ that others can reach needs somebody to say so',
    text: 'listen:\n  zmq:\n    host: 0.0.0.0\n    pullPort: 5560\n',
    problems: [
      '3:11 listen.zmq.host: "0.0.0.0" can be reached from other machines, and whoever reaches it may publish without a credential',
    ],
    remedy: /openToNetwork: true/,
  },
  {
    name: 'limits that contradict each other are told with both values',
    text: 'limits:\n  messageBytesMax: 33554432\n',
    problems: [
      '2:20 limits.messageBytesMax: messageBytesMax (33554432) must not exceed batchBytesMax (16777216): the largest message must fit a batch',
    ],
    remedy: /at most 16777216, or raise batchBytesMax/,
  },
  {
    name: 'what goes between processes at once must fit what one may leave unread of another',
    text: 'limits: {workerUnsentBytesMax: 8388608}\n',
    problems: [
      '1:32 limits.workerUnsentBytesMax: appendBytesPendingMax (67108864) must not exceed workerUnsentBytesMax (8388608): a worker that forwards as much would be replaced',
      '1:32 limits.workerUnsentBytesMax: batchBytesMax (16777216) must not exceed workerUnsentBytesMax (8388608): a worker that forwards the largest batch would be replaced',
      '1:32 limits.workerUnsentBytesMax: centrifugeForwardedBytesMax (67108864) must not exceed workerUnsentBytesMax (8388608): a worker that forwards as much would be replaced',
      '1:32 limits.workerUnsentBytesMax: centrifugeChannelsBytesMax (16777216) must not exceed workerUnsentBytesMax (8388608): a worker that asks for as much would be replaced',
    ],
    remedy: /at least 67108864, or lower appendBytesPendingMax/,
  },
  {
    name: 'partitions are bounded by the limit in force',
    text: 'limits: {partitionsMax: 2}\ntopics: {orders: {partitions: 3}}\n',
    problems: ['2:31 topics.orders.partitions: 3 is too large'],
    remedy: /at most 2, or raise limits\.partitionsMax/,
  },
  {
    name: 'a prefix belongs to one topic',
    text: 'topics:\n  a: {prefixes: ["x:"]}\n  b: {prefixes: ["x:"]}\n',
    problems: ['3:18 topics.b.prefixes[0]: "x:" is a prefix of the topic a already'],
    remedy: /Remove one/,
  },
  {
    name: 'a prefix cannot be the name of a topic',
    text: 'topics:\n  a: {}\n  b: {prefixes: ["a/x"]}\n',
    problems: [
      '3:18 topics.b.prefixes[0]: Channels that begin with "a/x" belong to the topic a, by its name',
    ],
    remedy: /not the name of a topic/,
  },
  {
    name: 'tombstones are of compacted topics',
    text: 'topics:\n  a: {retention: {tombstoneSeconds: 5}}\n',
    problems: ['2:37 topics.a.retention.tombstoneSeconds: Only a compacted topic has tombstones'],
    remedy: /compacted: true/,
  },
  {
    name: 'a key that stands twice is found',
    text: 'logLevel: info\nlogLevel: warn\n',
    problems: ['2:1 : Map keys must be unique'],
    remedy: /Remove one/,
  },
  {
    name: 'a file that is not a mapping is found',
    text: '- a\n',
    problems: ['1:1 : ["a"] is not a mapping'],
    remedy: /mapping/,
  },
  {
    name: 'a variable that is not set is named',
    text: 'data: ${NOWHERE}\n',
    problems: ['1:7 : The environment variable NOWHERE is not set'],
    remedy: /\$\{NOWHERE:-default\}/,
  },
  {
    name: 'a broken reference is found',
    text: 'data: ${9lives}\n',
    problems: ['1:7 : "${9lives}" is not a reference to an environment variable'],
    remedy: /\$\{NAME\}/,
  },
  {
    name: 'a wrong value from the environment is told with its variable',
    text: 'listen:\n  port: ${PORT}\n',
    environment: { PORT: 'http' },
    problems: ['2:9 listen.port: "http" is not a whole number from 0 to 65535 (from ${PORT})'],
    remedy: /whole number/,
  },
  {
    name: 'all problems are told at once, in the order of the file',
    text: 'logLevel: loud\nlisten:\n  port: -1\n  prot: 5\n',
    problems: [
      '1:11 logLevel: "loud" is not one of debug, info, warn or error',
      '3:9 listen.port: -1 is too small',
      '4:3 listen: "prot" is not a known key',
    ],
    remedy: /./,
  },
];

for (const { name, text, problems, remedy, environment } of cases) {
  test(name, async () => {
    const found = await problemsOf(text, environment);
    assert.deepEqual(
      found.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`),
      problems,
    );
    assert.match(found[0].remedy, remedy);
  });
}

for (const [name, issuer] of [
  ['an audience', '{algorithms: [RS256], audience: a, jwksUrl: "https://a.example/jwks"}'],
  ['an issuer', '{algorithms: [RS256], issuer: a, jwksUrl: "https://a.example/jwks"}'],
  ['keys on this machine', '{algorithms: [RS256], audience: a, jwksUrl: "http://[::1]:8080/jwks"}'],
]) {
  test(`keys may be fetched for ${name}`, async () => {
    assert.deepEqual(await problemsOf(`access: {issuers: {app: ${issuer}}}\n`), []);
  });
}

test('an alias that would grow without bound is refused', async () => {
  const rows = Array.from(
    { length: 9 },
    (_, i) => `k${i + 1}: &k${i + 1} [${Array(9).fill(`*k${i}`).join(', ')}]`,
  );
  const [problem, ...rest] = await problemsOf(`k0: &k0 [x]\n${rows.join('\n')}\n`);
  assert.deepEqual(rest, []);
  assert.match(problem.message, /alias/i);
});
