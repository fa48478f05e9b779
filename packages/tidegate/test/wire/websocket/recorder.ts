import { Buffer } from 'node:buffer';
import { ByteWriter } from '../../../src/kernel/index.ts';
import {
  type MessageKind,
  type MessageStorage,
  type ReceiverEvents,
  type ReceiverOptions,
  type Violation,
  WebSocketReceiver,
  writeMaskedFrame,
} from '../../../src/wire/websocket/index.ts';

export const SERVER: ReceiverOptions = {
  role: 'server',
  messageBytesMax: 1 << 16,
  framesMax: 100,
  compression: 'none',
};

/** Keeps what a receiver told, in words that are easy to compare: `text hello`, `ping 0102`, `close 1000 bye`. */
export class Recorder implements ReceiverEvents {
  readonly told: string[] = [];
  readonly storages: MessageStorage[] = [];

  message(data: Buffer, kind: MessageKind, storage: MessageStorage): void {
    this.told.push(kind === 'text' ? `text ${data.toString()}` : `binary ${data.toString('hex')}`);
    this.storages.push(storage);
  }

  ping(payload: Buffer): void {
    this.told.push(`ping ${payload.toString('hex')}`);
  }

  pong(payload: Buffer): void {
    this.told.push(`pong ${payload.toString('hex')}`);
  }

  closeFrame(code: number, reason: string): void {
    this.told.push(`close ${code} ${reason}`);
  }

  violation({ code, reason }: Violation): void {
    this.told.push(`violation ${code} ${reason}`);
  }
}

/** A frame as a client sends it. */
export function clientFrame(firstByte: number, payload: string | Uint8Array = '', key = 0x37fa213d): Buffer {
  const out = new ByteWriter(16);
  writeMaskedFrame(out, firstByte, Buffer.from(payload), key);
  return out.take();
}

/** What a receiver tells of a stream that arrives in slices that end at `cuts`. The stream is left as it is. */
export function receive(
  stream: Uint8Array,
  options: Partial<ReceiverOptions> = {},
  cuts: readonly number[] = [],
): Recorder {
  const recorder = new Recorder();
  const receiver = new WebSocketReceiver({ ...SERVER, ...options });
  let from = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), stream.length]) {
    const to = Math.max(from, Math.min(cut, stream.length));
    receiver.receive(Buffer.from(stream.subarray(from, to)), recorder);
    from = to;
  }
  return recorder;
}

/** The same, for every byte by itself. */
export function receiveBytewise(stream: Uint8Array, options: Partial<ReceiverOptions> = {}): Recorder {
  return receive(
    stream,
    options,
    Array.from({ length: stream.length }, (_, i) => i),
  );
}
