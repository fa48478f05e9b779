/*
 * The message that travels: printable, of fixed size, and recognisable in the framing of any server.
 *
 *   |LLL:SSSSSSSS:TTTTTTTTTTTTTTTT:......|
 *
 * L is the lane (the publishing connection), S counts up from 0 within the lane, T is the intended time of sending in
 * microseconds of CLOCK_MONOTONIC. Order is kept within a lane, so a receiver can tell a loss from a duplicate.
 * The number fields are read and written eight digits at a time.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_EDGE '|'
#define PAYLOAD_LANE_AT 1
#define PAYLOAD_SEQUENCE_AT 5
#define PAYLOAD_TIME_AT 14
#define PAYLOAD_STAMP_BYTES 31
#define PAYLOAD_BYTES_MAX 65536
#define PAYLOAD_LANES_MAX 1000

static const char PAYLOAD_BLANK[PAYLOAD_STAMP_BYTES + 1] = "|000:00000000:0000000000000000:";

/* Eight ASCII digits as a number, by three multiplications instead of eight. */
static inline uint32_t eight_digits(const char *text) {
  uint64_t word;
  memcpy(&word, text, 8);
  word -= 0x3030303030303030ull;
  word = word * 10 + (word >> 8);
  const uint64_t mask = 0x000000ff000000ffull;
  word = ((word & mask) * 0x000f424000000064ull + ((word >> 16) & mask) * 0x0000271000000001ull) >> 32;
  return (uint32_t)word;
}

static inline uint32_t payload_lane(const char *payload) {
  const char *text = payload + PAYLOAD_LANE_AT;
  return (uint32_t)((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
}

static inline uint32_t payload_sequence(const char *payload) { return eight_digits(payload + PAYLOAD_SEQUENCE_AT); }

static inline uint64_t payload_time_us(const char *payload) {
  return (uint64_t)eight_digits(payload + PAYLOAD_TIME_AT) * 100000000 + eight_digits(payload + PAYLOAD_TIME_AT + 8);
}

static inline void write_digits(char *text, int digits, uint64_t value, char mask) {
  for (int at = digits - 1; at >= 0; at--) {
    text[at] = (char)('0' + value % 10) ^ mask;
    value /= 10;
  }
}

/* Stamps a payload in place. `mask` is XORed with every byte, for WebSocket frames whose masking key is one byte four times. */
static inline void payload_stamp(char *payload, uint32_t lane, uint32_t sequence, uint64_t time_us, char mask) {
  write_digits(payload + PAYLOAD_LANE_AT, 3, lane, mask);
  write_digits(payload + PAYLOAD_SEQUENCE_AT, 8, sequence, mask);
  write_digits(payload + PAYLOAD_TIME_AT, 16, time_us, mask);
}

/* Finds payloads in a stream that arrives in slices; holds back one that is cut. */
struct payload_scanner {
  uint32_t held_bytes;
  char *held;
};

/*
 * The next whole payload of `payload_bytes` in the slice `[*data, end)`, or NULL when the slice is used up. Advances `*data`.
 * `foreign` counts what began like a payload and was none.
 */
static inline const char *payload_next(struct payload_scanner *scanner, const char **data, const char *end,
                                       uint32_t payload_bytes, uint64_t *foreign) {
  if (scanner->held_bytes > 0) {
    uint32_t missing = payload_bytes - scanner->held_bytes;
    uint32_t present = (uint32_t)(end - *data);
    uint32_t taken = missing < present ? missing : present;
    memcpy(scanner->held + scanner->held_bytes, *data, taken);
    scanner->held_bytes += taken;
    *data += taken;
    if (scanner->held_bytes < payload_bytes) return NULL;
    scanner->held_bytes = 0;
    if (scanner->held[payload_bytes - 1] == PAYLOAD_EDGE) return scanner->held;
    (*foreign)++;
  }
  while (*data < end) {
    const char *start = memchr(*data, PAYLOAD_EDGE, (size_t)(end - *data));
    if (start == NULL) break;
    if ((size_t)(end - start) < payload_bytes) {
      if (scanner->held == NULL) scanner->held = malloc(payload_bytes);
      scanner->held_bytes = (uint32_t)(end - start);
      memcpy(scanner->held, start, scanner->held_bytes);
      break;
    }
    if (start[payload_bytes - 1] == PAYLOAD_EDGE && start[PAYLOAD_STAMP_BYTES - 1] == ':') {
      *data = start + payload_bytes;
      return start;
    }
    (*foreign)++;
    *data = start + 1;
  }
  *data = end;
  return NULL;
}

#endif
