import { Buffer } from 'node:buffer';
import { LINE_SUBJECTS, type LineSubject } from '../kernel/index.ts';

/** What a frame is: said without an answer, asked, answered, or answered with an error. */
export const FRAME_KINDS = ['told', 'asked', 'answered', 'failed'] as const;

export type FrameKind = (typeof FRAME_KINDS)[number];

/** The length of the payload (four bytes), the subject, the kind, and the number of the question (four bytes); numbers are little-endian. */
export const FRAME_HEADER_BYTES = 10;

/** One message of a line. `id` ties an answer to its question; 0 for what is told. */
export interface Frame {
  readonly kind: FrameKind;
  readonly subject: LineSubject;
  readonly id: number;
  readonly payload: Buffer;
}

/** Cuts what comes over a line into frames. Both ends are ours, so that nothing is checked but that the numbers mean something. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  /** How many bytes have to be there before looking again makes sense. */
  #wanted = FRAME_HEADER_BYTES;

  /** Hands over every frame that is whole now. */
  receive(chunk: Buffer, take: (frame: Frame) => void): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    // Large frames come in many chunks, and are put together once.
    if (this.#length < this.#wanted) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#length);
    let at = 0;
    this.#wanted = FRAME_HEADER_BYTES;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUInt32LE(at);
      if (end > bytes.length) {
        this.#wanted = end - at;
        break;
      }
      take(frameAt(bytes, at, end));
      at = end;
    }
    this.#length = bytes.length - at;
    this.#chunks = this.#length === 0 ? [] : [at === 0 ? bytes : bytes.subarray(at)];
  }
}

function frameAt(bytes: Buffer, at: number, end: number): Frame {
  const subject = LINE_SUBJECTS[bytes[at + 4]];
  const kind = FRAME_KINDS[bytes[at + 5]];
  if (subject === undefined || kind === undefined) throw new Error('A line between processes is out of step');
  const id = bytes.readUInt32LE(at + 6);
  return { kind, subject, id, payload: bytes.subarray(at + FRAME_HEADER_BYTES, end) };
}
