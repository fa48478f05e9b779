import type { Buffer } from 'node:buffer';
import { ByteWriter, type Clock, EMPTY, type Random } from '../../kernel/index.ts';
import { writeMaskedFrame } from '../../wire/websocket/index.ts';

/** A frame of a client has a head of 2 to 10 bytes and a mask of 4. */
const FRAME_HEAD_BYTES_MAX = 14;

/** What is handed over at once, as a socket would. */
const SLICE_BYTES = 64 * 1024;

/** Takes what a client sends. */
export interface FrameTaker {
  /** The bytes are valid only during the call, and may be changed in it. */
  take(slice: Buffer): void;
  /** Everything has been taken. */
  emptied(): void;
}

/** Frames of a client on their way, which whoever takes them may stop. They arrive after the call in which they were sent, as on a socket. */
export class OutgoingFrames {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #taker: FrameTaker;
  /** What is being delivered, and the frames behind it; null while there are none. */
  #delivered: Buffer = EMPTY;
  #frames: ByteWriter | null = null;
  #isPaused = false;
  #isScheduled = false;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }, taker: FrameTaker) {
    this.#clock = clock;
    this.#random = random;
    this.#taker = taker;
  }

  get isEmpty(): boolean {
    return this.#delivered.length === 0 && this.#frames === null;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  push(firstByte: number, payload: Uint8Array): void {
    this.#frames ??= new ByteWriter(payload.length + FRAME_HEAD_BYTES_MAX);
    writeMaskedFrame(this.#frames, firstByte, payload, this.#random.uint32());
    this.#schedule();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  /** Nobody takes them any more. */
  clear(): void {
    this.#delivered = EMPTY;
    this.#frames = null;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isPaused) return;
    this.#isScheduled = true;
    this.#clock.soon(() => {
      this.#isScheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    // Whoever takes something may stop, or clear, the rest.
    while (!this.#isPaused && !this.isEmpty) {
      if (this.#delivered.length === 0) {
        this.#delivered = this.#frames?.take() ?? EMPTY;
        this.#frames = null;
      }
      const slice = this.#delivered.subarray(0, SLICE_BYTES);
      this.#delivered = this.#delivered.subarray(SLICE_BYTES);
      this.#taker.take(slice);
    }
    if (this.isEmpty) this.#taker.emptied();
  }
}
