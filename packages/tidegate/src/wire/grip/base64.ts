import { Buffer } from 'node:buffer';

const BASE64 = /^[0-9A-Za-z+/]*={0,2}$/;

/**
 * The bytes of a base64 text (RFC 4648, section 4); null if it is none. Padding may be left out, as some encoders do, but nothing
 * else may be among the alphabet, which Buffer.from would pass over.
 */
export function decodeBase64(text: string): Buffer | null {
  if (!BASE64.test(text)) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const rest = (text.length - padding) % 4;
  // One digit alone holds no byte; two take two signs of padding, and three take one.
  if (rest === 1 || (padding !== 0 && padding !== (4 - rest) % 4)) return null;
  return Buffer.from(text, 'base64');
}
