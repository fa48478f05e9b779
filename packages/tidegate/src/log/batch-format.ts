/*
 * A stored batch, little-endian:
 *
 *    0  magic            u32  'TGB1'
 *    4  crc32            u32  of everything after it
 *    8  topic id         u32
 *   12  partition        u16
 *   14  (zero)           u16
 *   16  base offset      f64  a whole number below 2^53
 *   24  end offset       f64  exclusive; what lies between records and bounds was compacted away
 *   32  base timestamp   f64  whole milliseconds since the Unix epoch
 *   40  max timestamp    f64
 *   48  record count     u32
 *   52  key count        u32
 *   56  key bytes        u32  length of the key text area
 *   60  payload bytes    u32
 *   64  records          20 bytes each: offset - base offset u32, timestamp - base timestamp u32,
 *                        end of headers u32, end of data u32 (both from the start of the payload area; a record's
 *                        headers begin where the data before ends), (key index + 1) << 8 | flags u32
 *       key ends         u32 each, from the start of the key text area
 *       key text         UTF-8, each distinct key once
 *       payload
 */
export const MAGIC = 0x31424754;

export const AT_MAGIC = 0;
export const AT_CRC = 4;
export const AT_TOPIC = 8;
export const AT_PARTITION = 12;
export const AT_BASE_OFFSET = 16;
export const AT_END_OFFSET = 24;
export const AT_BASE_TIMESTAMP = 32;
export const AT_MAX_TIMESTAMP = 40;
export const AT_COUNT = 48;
export const AT_KEY_COUNT = 52;
export const AT_KEY_BYTES = 56;
export const AT_PAYLOAD_BYTES = 60;
export const HEADER_BYTES = 64;

/** What the checksum covers begins here. */
export const CRC_FROM = 8;

export const RECORD_BYTES = 20;
export const RECORD_WORDS = RECORD_BYTES / 4;
export const KEY_END_BYTES = 4;

/** Timestamps and offsets are stored as differences that must fit this. */
export const DELTA_MAX = 0xffff_ffff;
