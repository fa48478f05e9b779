/*
 * Counts of durations in logarithmic buckets: 64 to each power of two, so a percentile is at most 1.6 % off.
 * ../support/histogram.ts reads the same buckets; change both together.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_STEPS 64
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * 40)

struct histogram {
  uint64_t counts[HISTOGRAM_BUCKETS];
  uint64_t maximum;
};

static inline void histogram_record(struct histogram *histogram, uint64_t value) {
  uint32_t index = (uint32_t)value;
  if (value >= HISTOGRAM_STEPS) {
    uint32_t shift = 63 - 6 - (uint32_t)__builtin_clzll(value);
    index = HISTOGRAM_STEPS * shift + (uint32_t)(value >> shift);
  }
  if (index >= HISTOGRAM_BUCKETS) index = HISTOGRAM_BUCKETS - 1;
  histogram->counts[index]++;
  if (value > histogram->maximum) histogram->maximum = value;
}

/* Prints `{"maximum":1234,"buckets":[[index,count],...]}`, empty buckets left out. */
static void histogram_print(const struct histogram *histogram, FILE *out) {
  fprintf(out, "{\"maximum\":%llu,\"buckets\":[", (unsigned long long)histogram->maximum);
  const char *separator = "";
  for (int index = 0; index < HISTOGRAM_BUCKETS; index++) {
    if (histogram->counts[index] == 0) continue;
    fprintf(out, "%s[%d,%llu]", separator, index, (unsigned long long)histogram->counts[index]);
    separator = ",";
  }
  fprintf(out, "]}");
}

#endif
