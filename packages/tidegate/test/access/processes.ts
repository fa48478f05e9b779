import type { Gate, Identity } from '../../src/access/index.ts';
import { TidegateError } from '../../src/kernel/index.ts';
import { LineEnd, type LinePair, linePair } from '../support/line-pair.ts';
import { verify } from './access-fixture.ts';

/** The gates of a server of several processes, and what is said between them. */
export class Processes {
  readonly owner: Gate;
  readonly #workerGate: (line: LinePair['worker']) => Gate;
  readonly #pairs: LinePair[] = [];

  /** @param workerGate makes the gate of a worker that has this line to the owner */
  constructor(owner: Gate, workerGate: (line: LinePair['worker']) => Gate) {
    this.owner = owner;
    this.#workerGate = workerGate;
  }

  /** Starts one more worker. Returns its gate, and what kills it. */
  start(): { readonly gate: Gate; readonly kill: () => void } {
    const pair = linePair(this.#pairs.length + 1);
    this.#pairs.push(pair);
    this.owner.serve(pair.owner);
    return { gate: this.#workerGate(pair.worker), kill: () => pair.close() };
  }

  /** Lets all that is said arrive, and what is said because of it. */
  deliver(): void {
    // What a worker tells the owner is at most passed on to the other workers.
    for (let round = 0; round < 3; round++) for (const pair of this.#pairs) pair.deliver();
  }
}

/** Who shows a credential. */
export async function identityOf(gate: Gate, credential: string): Promise<Identity> {
  const identity = await verify(gate, credential);
  if (identity instanceof TidegateError) throw identity;
  return identity;
}

/** Both ends of a line within this process, the owner's first. What is said arrives by itself, some turns later. */
export function lineWithin(): readonly [LineEnd, LineEnd] {
  const post = (delivery: () => void): void => void setImmediate(delivery);
  const [ownersEnd, workersEnd] = [new LineEnd(1, post), new LineEnd(0, post)];
  ownersEnd.other = workersEnd;
  workersEnd.other = ownersEnd;
  return [ownersEnd, workersEnd];
}
