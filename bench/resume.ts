import { nchan } from './peers/nchan.ts';
import { resumableNchan } from './peers/nchan-resumable.ts';
import type { ResumableServer, Spread } from './peers/resumable.ts';
import { resumableTidegate } from './peers/tidegate-resumable.ts';
import { machineNote } from './support/machine.ts';
import { type Protocol, printTable, progress, readOptions, wanted } from './support/options.ts';
import { storm } from './support/storm.ts';
import type { Cell } from './support/table.ts';

const PURPOSE =
  'Resume storm: many subscribers reconnect at once, each far behind, in a topic of very many keys.';
const options = readOptions(PURPOSE, { subscribers: '5000', behind: '1000', keys: '1000000' });
const [count = 5000] = options.numbers('subscribers');
const [behind = 1000] = options.numbers('behind');
const [keys = 1_000_000] = options.numbers('keys');

const rows: Cell[][] = [];
const versions = new Set<string>();

/** @param missed how many messages each subscriber has missed, which is also the sequence of the next one */
async function stormRow(
  server: ResumableServer,
  spread: Spread,
  protocol: Protocol,
  missed: number,
): Promise<Cell[]> {
  const figures = await storm({
    serverPid: server.pid,
    subscribers: { port: server.port, requests: server.requests(protocol), connections: count, protocol },
    missed,
    publishNext: (sequence) => server.publishNext(sequence),
  });
  return [
    spread,
    protocol,
    server.name,
    server.durability,
    count,
    missed,
    figures.caughtUpMs,
    figures.liveMs,
    figures.deliveriesPerSecond,
    figures.report.targetReached,
    figures.lost,
    figures.outOfOrder,
    figures.report.refused,
    figures.beforeMebibytes,
    figures.peakMebibytes,
  ];
}

async function measure(server: ResumableServer): Promise<void> {
  versions.add(server.version);
  for (const spread of server.spreads) {
    progress(`filling ${spread} of ${server.name}`);
    await server.fill(spread, count, behind);
    const protocols = options.protocols.filter((protocol) => server.protocols.includes(protocol));
    for (const [stormsBefore, protocol] of protocols.entries()) {
      progress(`${server.name}, ${spread}, ${protocol}`);
      // Each storm leaves one more message on the channels, which the next one has missed.
      rows.push(await stormRow(server, spread, protocol, behind + stormsBefore));
    }
  }
  await server.stop();
}

for (const workers of [1, 2]) {
  const peer = nchan(workers);
  if (wanted(options, peer.name) && peer.missing() === null) await measure(await resumableNchan(workers));
}
if (wanted(options, 'tidegate')) {
  progress(`filling ${keys} keys`);
  await measure(await resumableTidegate(keys));
}

printTable(options, {
  title: `Resume storm: 100-byte messages; Tidegate's topic has ${keys.toLocaleString('en-US')} other keys`,
  columns: [
    'on',
    'protocol',
    'server',
    'durability',
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
    `${machineNote()} ${[...versions].join('; ')}.`,
    'All connect as fast as the system lets them. Live: has had every missed message and one that was published after the last of them had ' +
      'caught up; the time is that of connecting and catching up plus that of the live message.',
  ],
});
