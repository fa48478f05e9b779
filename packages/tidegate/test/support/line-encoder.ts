import { Buffer } from 'node:buffer';
import type { FrameEncoder } from '../../src/channels/index.ts';

/** What a line of the encoder below says. */
export type Line =
  | {
      readonly kind: 'message';
      readonly channel: string;
      readonly cursor: string;
      readonly data: string;
      readonly id: string;
    }
  | { readonly kind: 'gap'; readonly reason: string; readonly cursor: string }
  | { readonly kind: 'keep-alive'; readonly cursor: string };

/** An encoder for tests of the channels alone: each call writes one JSON line. */
export function lineEncoder(key = 'lines'): FrameEncoder {
  const write = (line: Line): string => `${JSON.stringify(line)}\n`;
  return {
    key,
    begin() {},
    message(message, out) {
      const data = Buffer.from(message.bytes.subarray(message.dataStart, message.dataEnd)).toString();
      const { channel, cursor, id } = message;
      out.utf8(write({ kind: 'message', channel, cursor, data, id }));
    },
    gap(gap, out) {
      out.utf8(write({ kind: 'gap', reason: gap.reason, cursor: gap.cursor }));
    },
    keepAlive(cursor, out) {
      out.utf8(write({ kind: 'keep-alive', cursor }));
    },
    end() {},
  };
}

export function parseLines(bytes: Uint8Array): Line[] {
  return Buffer.from(bytes)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
