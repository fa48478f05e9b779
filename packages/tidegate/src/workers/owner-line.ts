import { Socket } from 'node:net';
import type { Clock, Line } from '../kernel/index.ts';
import { StreamLine } from './stream-line.ts';

/** The file descriptor of a worker's pipe to the owner. */
export const LINE_DESCRIPTOR = 3;

/** The line of this process, which the owner of the log has started, to the owner. */
export function lineToOwner(clock: Clock, unsentBytesMax: number): Line {
  return new StreamLine({
    stream: new Socket({ fd: LINE_DESCRIPTOR, readable: true, writable: true }),
    peer: 0,
    clock,
    sends: 'at the end of the turn',
    unsentBytesMax,
  });
}
