/** Frame opcodes (RFC 6455, section 5.2). */
export const OPCODE_CONTINUATION = 0x0;
export const OPCODE_TEXT = 0x1;
export const OPCODE_BINARY = 0x2;
export const OPCODE_CLOSE = 0x8;
export const OPCODE_PING = 0x9;
export const OPCODE_PONG = 0xa;

/** Bits of the first byte of a frame. */
export const FIN = 0x80;
/** Set on the first frame of a compressed message (RFC 7692, section 6). */
export const RSV1 = 0x40;
export const RESERVED_BITS = 0x70;
export const OPCODE_BITS = 0x0f;
/** Control frames have this bit in their opcode. */
export const OPCODE_CONTROL_BIT = 0x8;

/** Bits of the second byte of a frame. */
export const MASKED = 0x80;
export const LENGTH_BITS = 0x7f;
/** The values of the seven length bits that say that 2 or 8 bytes of length follow. Control frames never have them. */
export const LENGTH_16 = 126;
export const LENGTH_64 = 127;
/** The greatest length that 2 bytes hold. */
export const LENGTH_16_MAX = 0xffff;
