import { subscribeRequest, TidegateProcess } from './peers/tidegate.ts';
import { EntryPublisher } from './support/entries.ts';
import { machineNote } from './support/machine.ts';
import { type Protocol, printTable, progress, readOptions } from './support/options.ts';
import { numberedPayload } from './support/payload.ts';
import { memoryOf, PeakMemory } from './support/process-figures.ts';
import { removeScratchFolder, scratchFolder } from './support/scratch.ts';
import { Subscribers } from './support/subscribers.ts';
import type { Cell } from './support/table.ts';

const PURPOSE =
  'Resume storm: many subscribers reconnect at once, each far behind, in a topic of very many keys.';
/** The storm has failed when nothing arrives any more for so long. */
const QUIET_MS = 20_000;
const BATCH = 5000;

const options = readOptions(PURPOSE, { subscribers: '5000', behind: '1000', keys: '1000000' });
const [count = 5000] = options.numbers('subscribers');
const [behind = 1000] = options.numbers('behind');
const [keys = 1_000_000] = options.numbers('keys');

const SPREADS = ['one channel', 'a channel each'] as const;
type Spread = (typeof SPREADS)[number];

/** The channels are stored in the topic `default`, as no topic is declared by the name of their first segment. */
function channelsOf(spread: Spread): readonly string[] {
  return spread === 'one channel'
    ? ['storm-one']
    : Array.from({ length: count }, (_, index) => `storm-each/${index}`);
}

async function fillKeys(publisher: EntryPublisher): Promise<void> {
  for (let key = 0; key < keys; key += BATCH) {
    const channels = Array.from({ length: Math.min(BATCH, keys - key) }, (_, index) => `user:${key + index}`);
    await publisher.publish(channels, numberedPayload(0));
  }
  await publisher.settle();
}

/** Publishes what the subscribers will have missed. The cursors from which they resume, in the order of the channels. */
async function fillChannels(publisher: EntryPublisher, spread: Spread): Promise<readonly string[]> {
  const channels = channelsOf(spread);
  await publisher.publish(channels, numberedPayload(0));
  const anchors = await publisher.settle();
  for (let sequence = 0; sequence < behind; sequence++)
    await publisher.publish(channels, numberedPayload(sequence));
  await publisher.settle();
  return anchors.map(({ cursor }) => cursor);
}

async function storm(
  server: TidegateProcess,
  publisher: EntryPublisher,
  spread: Spread,
  protocol: Protocol,
  cursors: readonly string[],
  markers: number,
): Promise<void> {
  const channels = channelsOf(spread);
  const requests = channels.map((channel, index) =>
    subscribeRequest(channel, protocol, `?from=${encodeURIComponent(cursors[index]!)}`),
  );
  const before = memoryOf(server.pid).anonymous;
  const peak = new PeakMemory(server.pid);
  const missed = behind + markers;
  const subscribers = Subscribers.start({
    port: server.port,
    requests,
    connections: count,
    protocol,
    opening: count,
  });
  await subscribers.setTarget(missed);
  const caughtUp = await subscribers.until((report) => report.targetReached === count, QUIET_MS);
  await subscribers.setTarget(missed + 1);
  const publishedMs = performance.now();
  await publisher.publish(channels, numberedPayload(missed));
  await publisher.settle();
  const live = await subscribers.until((report) => report.targetReached === count, QUIET_MS);
  const liveMs = performance.now() - publishedMs;
  const caughtUpMs = (caughtUp.targetReachedUs - caughtUp.openingUs) / 1000;
  const whole = count * (missed + 1);
  rows.push([
    spread,
    protocol,
    count,
    missed,
    Math.round(caughtUpMs),
    Math.round(caughtUpMs + liveMs),
    Math.round((count * missed) / (caughtUpMs / 1000)),
    live.targetReached,
    whole - live.messages,
    live.missing + live.repeated,
    live.refused,
    Math.round(before / 2 ** 20),
    Math.round(peak.stop() / 2 ** 20),
  ]);
  await subscribers.close();
}

const rows: Cell[][] = [];
const folder = scratchFolder('resume');
const server = await TidegateProcess.start(folder);
const publisher = new EntryPublisher(server.port);
progress(`filling ${keys} keys`);
await fillKeys(publisher);
for (const spread of SPREADS) {
  progress(`filling ${spread}`);
  const cursors = await fillChannels(publisher, spread);
  for (const [markers, protocol] of options.protocols.entries()) {
    progress(`${spread}, ${protocol}`);
    // Each storm leaves one more message on the channels, which the next one has missed.
    await storm(server, publisher, spread, protocol, cursors, markers);
  }
}
publisher.close();
await server.stop();
removeScratchFolder(folder);

printTable(options, {
  title: `Resume storm: in a topic of ${keys.toLocaleString('en-US')} keys, durability synced, 100-byte messages`,
  columns: [
    'on',
    'protocol',
    'subscribers',
    'missed by each',
    'all caught up ms',
    'all live ms',
    'deliveries/s',
    'live',
    'lost',
    'out of order',
    'refused',
    'anonymous MiB before',
    'peak',
  ],
  rows,
  notes: [
    `${machineNote()} All connect in the same moment. Live: has had every missed message and one that was published after the ` +
      'last of them had caught up; the time is that of connecting and catching up plus that of the live message.',
  ],
});
