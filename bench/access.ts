import { createHash, randomBytes } from 'node:crypto';
import { BareHttpServer } from './peers/bare-http.ts';
import { TidegateProcess } from './peers/tidegate.ts';
import { machineNote } from './support/machine.ts';
import { printTable, progress, readOptions, wanted } from './support/options.ts';
import { Publisher, publishFor, type WayIn } from './support/publisher.ts';
import { removeScratchFolder, scratchFolder } from './support/scratch.ts';
import type { Cell } from './support/table.ts';
import { manyTokens, TOKEN_ALGORITHMS, type TokenIssuer, tokenIssuer } from './support/tokens.ts';

const PURPOSE =
  'Who is asking: single publishes over HTTP without credentials, with a key, with a token that is known and with tokens that are not.';
const WARM_SECONDS = 2;
/** Durability none: the less else there is to do, the more of it is the check. */
const CHANNEL = 'none/bench';
/** A run with different tokens ends when they are used up; this is longer than that takes. */
const UNCACHED_SECONDS = 120;

const options = readOptions(PURPOSE, { connections: '64', tokens: '20000', 'tokens-before': '2000' });
const [connections = 64] = options.numbers('connections');
const [tokenCount = 20_000] = options.numbers('tokens');
const [tokensBefore = 2000] = options.numbers('tokens-before');
const rows: Cell[][] = [];
let bound = Number.NaN;

/** Measures one row and returns its publishes per second. */
async function measure(name: string, credential: string, pid: number, way: WayIn): Promise<number> {
  progress(`${name}, ${credential}`);
  const publisher = await Publisher.connect(
    way,
    way.variants === undefined ? options.seconds : UNCACHED_SECONDS,
  );
  const { result, seconds, cpu } = await publisher.runOn(pid);
  const perSecond = result.accepted / seconds;
  rows.push([
    name,
    credential,
    Math.round(perSecond),
    perSecond / bound,
    (cpu.server / 100 / perSecond) * 1e6,
    result.latencies.percentile(50) / 1000,
    result.latencies.percentile(99) / 1000,
    result.refused + result.unanswered,
    cpu.server,
    cpu.load,
  ]);
  return perSecond;
}

/** Runs `work` with a server that has `settings`. */
async function withTidegate(
  settings: string,
  work: (server: TidegateProcess) => Promise<void>,
): Promise<void> {
  const folder = scratchFolder('data');
  const server = await TidegateProcess.start(folder, { settings });
  try {
    await work(server);
  } finally {
    await server.stop();
    removeScratchFolder(folder);
  }
}

/** A server that believes `issuer`, whose tokens may publish. */
function issuerSettings({ algorithm, keySetting }: TokenIssuer): string {
  const allow = "allow: { '#': [publish] }";
  return `access: { issuers: { bench: { algorithms: [${algorithm}], ${keySetting}, ${allow} } } }\n`;
}

async function measureRepeated(label: string, settings: string, credential?: string): Promise<void> {
  await withTidegate(settings, async (server) => {
    const way = server.singlePosts(CHANNEL, connections, 100, credential);
    await publishFor(way, WARM_SECONDS);
    await measure('tidegate', label, server.pid, way);
  });
}

async function measureUncached(issuer: TokenIssuer): Promise<void> {
  progress(`signing ${tokensBefore + tokenCount} tokens, ${issuer.algorithm}`);
  const tokens = await manyTokens(issuer, tokensBefore + tokenCount);
  await withTidegate(issuerSettings(issuer), async (server) => {
    const way = (variants: readonly string[]): WayIn => ({
      ...server.singlePosts(CHANNEL, connections, 100, variants[0]),
      variants,
    });
    await publishFor(way(tokens.slice(0, tokensBefore)), UNCACHED_SECONDS);
    await measure(
      'tidegate',
      `a new token each, ${issuer.algorithm}`,
      server.pid,
      way(tokens.slice(tokensBefore)),
    );
  });
}

if (wanted(options, 'bare')) {
  const bare = await BareHttpServer.start();
  const way = bare.singlePosts(connections);
  await publishFor(way, WARM_SECONDS);
  bound = await measure('bare node:http', '-', bare.pid, way);
  rows[0]![3] = 1;
  await bare.stop();
}
if (wanted(options, 'tidegate')) {
  await measureRepeated('none', '');
  const key = `tg_bench_${randomBytes(32).toString('base64url')}`;
  const hash = createHash('sha256').update(key).digest('hex');
  await measureRepeated(
    'key',
    `keys: { bench: { hash: 'sha256:${hash}', allow: { '#': [publish] } } }\n`,
    key,
  );
  const issuer = tokenIssuer('HS256');
  await measureRepeated('one token, HS256', issuerSettings(issuer), await issuer.token(0));
  for (const algorithm of TOKEN_ALGORITHMS) await measureUncached(tokenIssuer(algorithm));
}

printTable(options, {
  title: `Credentials: single publishes over HTTP, 100 bytes, durability none, ${connections} keep-alive connections, answers in milliseconds`,
  columns: [
    'server',
    'credential',
    'publishes/s',
    'x bare',
    'CPU µs each',
    'p50',
    'p99',
    'not accepted',
    'CPU server %',
    'publisher %',
  ],
  rows,
  notes: [
    `${machineNote()} A token that the server has seen is remembered; with a new one each, ${tokenCount.toLocaleString('en-US')} ` +
      'that were signed beforehand, every request has its signature verified. RS256 with 2,048 bits, ES256 with P-256, EdDSA with Ed25519. ' +
      'CPU of the server with all its threads, where signatures are verified.',
  ],
});
