import type { FrameEncoder, Message } from '../../channels/index.ts';
import type { ByteWriter, Limits } from '../../kernel/index.ts';
import { suitsFilters } from '../../wire/grip/index.ts';
import { beginFlush, endFlush, type StreamFraming } from '../../wire/http1/index.ts';
import { writeResponseFrame, writeStreamFrame } from './hold-frames.ts';
import { ItemReader, type PlainFraming } from './rendered-item.ts';

const NO_FILTERS: readonly string[] = [];

/**
 * The encoders of all holds of a process. There are as many as forms, and not as holds: what is done for each subscriber is done by the holds, with
 * frames of which the bytes are shared, too.
 */
export class HoldEncoders {
  readonly #reader: ItemReader;
  readonly #streams = new Map<string, FrameEncoder>();
  readonly #streamFrames: Readonly<Record<PlainFraming, FrameEncoder>>;
  /** Frames for those who hold a response: see `readResponseFrame`. */
  readonly responseFrames: FrameEncoder;

  constructor(limits: Limits) {
    const reader = new ItemReader(limits);
    this.#reader = reader;
    const frames = (framing: PlainFraming): FrameEncoder =>
      frameEncoder(`grip frames ${framing}`, (message, out) => {
        writeStreamFrame(out, headOf(message, reader), reader.streamOf(message, framing));
      });
    this.#streamFrames = { sse: frames('sse'), raw: frames('raw') };
    this.responseFrames = frameEncoder('grip responses', (message, out) => {
      writeResponseFrame(out, headOf(message, reader), reader.responseOf(message));
    });
  }

  /** Frames for streams that look at each item: see `readStreamFrame`. */
  streamFrames(framing: PlainFraming): FrameEncoder {
    return this.#streamFrames[framing];
  }

  /** The bytes of streams that take everything as it is, framed for the response. */
  stream(framing: StreamFraming, plain: PlainFraming): FrameEncoder {
    const key = `grip stream ${framing} ${plain}`;
    let encoder = this.#streams.get(key);
    if (encoder === undefined) {
      encoder = streamEncoder(key, framing, plain, this.#reader);
      this.#streams.set(key, encoder);
    }
    return encoder;
  }
}

const headOf = (message: Message, reader: ItemReader) => ({
  id: message.id,
  prevId: reader.prevIdOf(message),
  channel: message.channel,
  offset: message.offset,
  meta: reader.metaOf(message),
});

function frameEncoder(key: string, write: (message: Message, out: ByteWriter) => void): FrameEncoder {
  return { key, begin() {}, message: write, gap() {}, keepAlive() {}, end() {}, controls: 'taken' };
}

function streamEncoder(
  key: string,
  framing: StreamFraming,
  plain: PlainFraming,
  reader: ItemReader,
): FrameEncoder {
  return {
    key,
    begin(out) {
      beginFlush(out, framing);
    },
    message(message, out) {
      const rendering = reader.streamOf(message, plain);
      if (rendering !== null && suitsFilters(rendering.contentFilters, NO_FILTERS))
        out.bytes(rendering.content);
    },
    // Such streams cannot say it; the hub ends them instead.
    gap() {},
    // Each hold has its own.
    keepAlive() {},
    end(out) {
      endFlush(out, framing);
    },
    controls: 'taken',
  };
}
