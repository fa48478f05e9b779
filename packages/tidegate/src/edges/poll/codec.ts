import { Buffer } from 'node:buffer';
import {
  type FrameEncoder,
  type JsonEnvelope,
  writeGapJson,
  writeMessageJson,
} from '../../channels/index.ts';

const LINE_FEED = 0x0a;
/** What ends an element: the comma that separates it from the next, and a line feed, which no element has. */
const SEPARATOR = ',\n';
/** Elements are objects whose first member tells what they are: `{"gap":` or `{"channel":`. */
const KIND_AT = 2;
const GAP_KIND = 'g'.charCodeAt(0);

/** Writes messages and gaps as elements of a JSON array, each with the separator behind it. */
export function createPollEncoder(envelope: JsonEnvelope): FrameEncoder {
  return {
    key: `poll ${envelope}`,
    begin() {},
    message(message, out) {
      writeMessageJson(message, out, envelope);
      out.ascii(SEPARATOR);
    },
    gap(gap, out) {
      writeGapJson(gap, out);
      out.ascii(SEPARATOR);
    },
    keepAlive() {},
    end() {},
  };
}

/** A page cut from what was collected. */
export interface Page {
  /** The elements, with separators between them. */
  readonly elements: Buffer;
  /** The position after the last element, if more was collected than fits; null if everything fits. */
  readonly cutCursor: string | null;
}

/**
 * Cuts what was collected after at most `messagesMax` messages and `bytesMax` bytes, at the border of an element. The first
 * element is kept whatever its size, or else a large message could never be had.
 */
export function cutPage(collected: readonly Buffer[], messagesMax: number, bytesMax: number): Page {
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let messages = 0;
  let last: Buffer | null = null;
  let cut = false;
  for (const bytes of collected) {
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(LINE_FEED, at) + 1;
      const isMessage = bytes[at + KIND_AT] !== GAP_KIND;
      const fits = last === null || keptBytes + end <= bytesMax;
      if (!fits || (isMessage && messages === messagesMax)) {
        cut = true;
        break;
      }
      if (isMessage) messages++;
      last = bytes.subarray(at, end);
      at = end;
    }
    kept.push(at === bytes.length ? bytes : bytes.subarray(0, at));
    keptBytes += at;
    if (cut) break;
  }
  const elements = Buffer.concat(kept);
  return {
    elements: elements.subarray(0, Math.max(0, elements.length - SEPARATOR.length)),
    cutCursor: cut && last !== null ? cursorOf(last) : null,
  };
}

/** The position after an element. */
function cursorOf(element: Buffer): string {
  const text = element.toString('utf8', 0, element.length - SEPARATOR.length);
  const { cursor, gap } = JSON.parse(text) as {
    readonly cursor?: string;
    readonly gap?: { readonly cursor: string };
  };
  return gap?.cursor ?? cursor ?? '';
}

/** The answer to a poll: `{"messages":[…],"next":"…"}`. */
export function pageJson(page: Page, next: string): Buffer {
  return Buffer.concat([Buffer.from('{"messages":['), page.elements, Buffer.from(`],"next":"${next}"}\n`)]);
}
