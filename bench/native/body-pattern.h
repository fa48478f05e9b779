/*
 * What long bodies consist of: printable bytes that repeat after a prime number of them, so that a piece that is left out, doubled or
 * moved is found by comparing, and comparing costs little beside receiving.
 */
#ifndef BODY_PATTERN_H
#define BODY_PATTERN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PATTERN_PERIOD 4093
/* The longest slice that can be taken or compared at once. */
#define PATTERN_SLICE_BYTES (256 * 1024)

static char pattern[PATTERN_PERIOD + PATTERN_SLICE_BYTES];

static void pattern_make(void) {
  uint32_t state = 1;
  for (size_t at = 0; at < PATTERN_PERIOD; at++) {
    state = state * 1664525 + 1013904223;
    pattern[at] = (char)('a' + (state >> 24) % 26);
  }
  for (size_t at = PATTERN_PERIOD; at < sizeof pattern; at++) pattern[at] = pattern[at - PATTERN_PERIOD];
}

static inline const char *pattern_at(uint64_t offset) { return pattern + offset % PATTERN_PERIOD; }

static inline bool pattern_matches(uint64_t offset, const char *data, size_t bytes) {
  return bytes <= PATTERN_SLICE_BYTES && memcmp(pattern_at(offset), data, bytes) == 0;
}

#endif
