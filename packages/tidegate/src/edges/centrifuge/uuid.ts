import type { Random } from '../../kernel/index.ts';

/** A random UUID (RFC 9562, section 5.4), as clients expect the names of connections to look. */
export function randomUuid(random: Random): string {
  const hex = [0, 0, 0, 0].map(() => random.uint32().toString(16).padStart(8, '0')).join('');
  // Version 4, and the variant of the RFC.
  const variant = ((Number.parseInt(hex[16], 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}
