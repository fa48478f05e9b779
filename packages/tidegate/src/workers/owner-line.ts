import { Socket } from 'node:net';
import type { Clock, Line } from '../kernel/index.ts';
import { StreamLine } from './stream-line.ts';

/** The file descriptor of a worker's pipe to the owner. */
export const LINE_DESCRIPTOR = 3;

/** What a worker's program is started with, for its end of the line: it has to know it before it is told anything. */
export function lineArguments(unsentBytesMax: number): readonly string[] {
  return [String(unsentBytesMax)];
}

/**
 * The line of this process, which the owner of the log has started, to the owner.
 * @param failed told what went wrong with what the owner said
 * @param unsentBytesMax by default as the owner says
 */
export function lineToOwner(
  clock: Clock,
  failed: (error: unknown) => void,
  unsentBytesMax = Number(process.argv[2]),
): Line {
  return new StreamLine({
    stream: new Socket({ fd: LINE_DESCRIPTOR, readable: true, writable: true }),
    peer: 0,
    clock,
    sends: 'at the end of the turn',
    unsentBytesMax,
    failed,
  });
}
