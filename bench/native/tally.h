/* Counts the messages that one connection receives, and those of all together. */
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "payload.h"

struct tally {
  uint64_t messages;
  uint32_t *expected; /* the next sequence of each lane; NULL if this connection is only counted */
  struct payload_scanner scanner;
};

/* What all connections have had together, since the last reset. */
static struct {
  uint64_t messages;
  /* What looked like a message and was none. */
  uint64_t foreign;
  /* Of the connections that are checked: sequences that were skipped, and that came again or late. */
  uint64_t missing, repeated;
  struct histogram latencies;
} total;

/* How many connections have had so many messages, and when the last of them got there. */
static struct {
  uint64_t messages, reached, reached_us;
} target;

static void check_order(struct tally *tally, const char *payload) {
  uint32_t lane = payload_lane(payload);
  if (lane >= PAYLOAD_LANES_MAX) return;
  uint32_t sequence = payload_sequence(payload);
  uint32_t expected = tally->expected[lane];
  if (sequence < expected) {
    total.repeated++;
    return;
  }
  total.missing += sequence - expected;
  tally->expected[lane] = sequence + 1;
}

static void count_payloads(struct tally *tally, const char *data, size_t bytes, uint32_t payload_bytes, uint64_t now) {
  const char *end = data + bytes;
  const char *payload;
  while ((payload = payload_next(&tally->scanner, &data, end, payload_bytes, &total.foreign)) != NULL) {
    total.messages++;
    if (++tally->messages == target.messages) {
      target.reached++;
      target.reached_us = now;
    }
    uint64_t sent = payload_time_us(payload);
    histogram_record(&total.latencies, now > sent ? now - sent : 0);
    if (tally->expected != NULL) check_order(tally, payload);
  }
}

static void tally_check(struct tally *tally) { tally->expected = calloc(PAYLOAD_LANES_MAX, sizeof(uint32_t)); }

static void tally_reset(struct tally *tally) {
  tally->messages = 0;
  if (tally->expected != NULL) memset(tally->expected, 0, PAYLOAD_LANES_MAX * sizeof(uint32_t));
}

#endif
