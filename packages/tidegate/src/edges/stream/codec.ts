import {
  type FrameEncoder,
  type JsonEnvelope,
  writeExpiringJson,
  writeGapJson,
  writeMessageJson,
} from '../../channels/index.ts';
import type { StreamFraming } from '../../listeners/port.ts';
import { beginFlush, endFlush, endOfStream, singleFlush } from '../../wire/http1/index.ts';
import type { StreamEnd } from '../streaming-subscriber.ts';

/** What changes the bytes of a stream of lines. */
export interface StreamForm {
  readonly framing: StreamFraming;
  readonly envelope: JsonEnvelope;
}

/**
 * Writes messages as lines of JSON:
 *
 *   line = message / gap / position / keep-alive
 *   message = an object with `channel` and `cursor`; gap = {"gap":{…}}; position = {"cursor":"…"}; keep-alive = nothing
 *
 * Besides them stands what `streamEnd` says.
 */
export function createStreamEncoder(form: StreamForm): FrameEncoder {
  const { framing, envelope } = form;
  return {
    key: `stream ${framing} ${envelope}`,
    begin(out) {
      beginFlush(out, framing);
    },
    message(message, out) {
      writeMessageJson(message, out, envelope);
      out.byte(0x0a);
    },
    gap(gap, out) {
      writeGapJson(gap, out);
      out.byte(0x0a);
    },
    keepAlive(cursor, out) {
      if (cursor !== '') out.ascii(`{"cursor":"${cursor}"}`);
      out.byte(0x0a);
    },
    end(out) {
      endFlush(out, framing);
    },
  };
}

/** How a stream of lines with this framing ends: before it does, by a line {"expiring":{…}}. */
export function streamEnd(framing: StreamFraming): StreamEnd {
  return {
    expiring: (expiresMs) =>
      singleFlush(framing, (out) => {
        writeExpiringJson(expiresMs, out);
        out.byte(0x0a);
      }),
    last: endOfStream(framing),
  };
}
