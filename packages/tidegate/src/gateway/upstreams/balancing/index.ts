import type { Random } from '../../../kernel/index.ts';
import type { Upstream } from '../upstream.ts';
import type { Balancer, Candidate } from './candidate.ts';
import { consistentHash } from './consistent-hash.ts';
import { leastConnections } from './least-connections.ts';
import { roundRobin } from './round-robin.ts';

export { type Balancer, type Candidate, NONE_TRIED } from './candidate.ts';
export { hashOfText } from './consistent-hash.ts';

/** The balancer of an upstream's choice. Another list of candidates needs another one. */
export function balancerOf<Target extends Candidate>(
  balance: Upstream['balance'],
  candidates: readonly Target[],
  random: Random,
): Balancer<Target> {
  switch (balance) {
    case 'round_robin':
      return roundRobin(candidates);
    case 'least_connections':
      return leastConnections(candidates, random);
    case 'hash':
      return consistentHash(candidates);
  }
}
