import { Buffer } from 'node:buffer';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import { decodeBase64 } from './base64.ts';
import { parameterOf, parseWhole } from './header-parameters.ts';
import { type GripKeepAlive, intervalMs, KEEP_ALIVE_SECONDS } from './instruct.ts';
import { secondsOf } from './seconds.ts';

const FIELD = 'Grip-Keep-Alive';
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, number>> = { '\\': BACKSLASH, r: 0x0d, n: 0x0a };

/**
 * Reads `Grip-Keep-Alive: data; format=raw|cstring|base64; timeout=seconds; mode=idle|interval`.
 * @throws TidegateError grip_instruct_invalid
 */
export function parseKeepAlive(octets: string, limits: Limits): GripKeepAlive {
  const element = parseWhole(FIELD, octets);
  if (element.value === '') throw fault('has no data');
  const mode = parameterOf(element, 'mode') ?? 'idle';
  if (mode !== 'idle' && mode !== 'interval') throw fault(`has an unknown mode, ${JSON.stringify(mode)}`);
  const timeout = parameterOf(element, 'timeout');
  const seconds = timeout === undefined ? null : secondsOf(timeout);
  if (Number.isNaN(seconds)) throw fault('has a timeout that is not a number of seconds');
  return {
    content: contentOf(element.value, parameterOf(element, 'format') ?? 'raw'),
    intervalMs: intervalMs(seconds, KEEP_ALIVE_SECONDS, limits),
    mode,
  };
}

function contentOf(data: string, format: string): Buffer {
  switch (format) {
    case 'raw':
      return Buffer.from(data, 'latin1');
    case 'cstring':
      return unescaped(data);
    case 'base64': {
      const bytes = decodeBase64(data);
      if (bytes === null) throw fault('is not valid base64');
      return bytes;
    }
    default:
      throw fault(`has an unknown format, ${JSON.stringify(format)}`);
  }
}

/** What `\\`, `\r`, `\n` and `\xHH` stand for. */
function unescaped(data: string): Buffer {
  const bytes = Buffer.allocUnsafe(data.length);
  let length = 0;
  for (let at = 0; at < data.length; at++) {
    const octet = data.charCodeAt(at);
    if (octet !== BACKSLASH) {
      bytes[length++] = octet;
      continue;
    }
    const kind = data[++at] ?? '';
    if (kind === 'x' && /^[0-9a-fA-F]{2}$/.test(data.slice(at + 1, at + 3))) {
      bytes[length++] = Number.parseInt(data.slice(at + 1, at + 3), 16);
      at += 2;
    } else if (Object.hasOwn(ESCAPES, kind)) {
      bytes[length++] = ESCAPES[kind];
    } else {
      throw fault('has a backslash that begins none of \\\\, \\r, \\n and \\xHH');
    }
  }
  return bytes.subarray(0, length);
}

function fault(problem: string): TidegateError {
  return new TidegateError('grip_instruct_invalid', `${FIELD} ${problem}.`);
}
