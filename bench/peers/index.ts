import { type BenchOptions, progress, wanted } from '../support/options.ts';
import { nchan } from './nchan.ts';
import { pushpin } from './pushpin.ts';
import type { BenchPeer } from './server.ts';
import { tidegate } from './tidegate.ts';

export type { BenchPeer, BenchServer } from './server.ts';

/** Every server that fans out, the one to be compared with first. */
export const fanOutPeers: readonly BenchPeer[] = [
  nchan(1),
  nchan(2),
  pushpin('stock'),
  pushpin('unlimited'),
  tidegate('none'),
  tidegate('synced'),
  tidegate('none', 2),
  tidegate('synced', 2),
];

/** Those of `peers` that are wanted and can be run here; tells which cannot. */
export function availablePeers(peers: readonly BenchPeer[], options: BenchOptions): readonly BenchPeer[] {
  return peers.filter((peer) => {
    if (!wanted(options, peer.name)) return false;
    const missing = peer.missing();
    if (missing !== null) progress(`${peer.name} is left out; it needs: ${missing}`);
    return missing === null;
  });
}
