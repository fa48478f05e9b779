/*
 * When messages are due. By rate: message k at start + k / rate, whatever the server does. Saturating (a rate of 0): always, until
 * the time is over.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

/* How long a server that is behind a schedule of messages is waited for. */
#define SCHEDULE_OVERRUN_US 10000000

struct schedule {
  double rate, seconds;
  uint32_t unit_items;
  uint64_t start_us, stop_us, units;
};

static void schedule_begin(struct schedule *schedule) {
  schedule->start_us = clock_us();
  schedule->stop_us = schedule->start_us + (uint64_t)(schedule->seconds * 1e6);
  schedule->units = (uint64_t)(schedule->rate * schedule->seconds / schedule->unit_items);
  if (schedule->units == 0) schedule->units = 1;
}

/* When a message is due, counted from 0 over the whole run. */
static inline uint64_t schedule_due_us(const struct schedule *schedule, uint64_t message, uint64_t now) {
  return schedule->rate > 0 ? schedule->start_us + (uint64_t)((double)message * 1e6 / schedule->rate) : now;
}

/* When a unit is due: with the last message in it. */
static inline uint64_t schedule_unit_due_us(const struct schedule *schedule, uint64_t unit, uint64_t now) {
  return schedule_due_us(schedule, (unit + 1) * schedule->unit_items - 1, now);
}

static inline bool schedule_finished(const struct schedule *schedule, uint64_t units_issued, uint64_t now) {
  if (schedule->rate <= 0) return now >= schedule->stop_us;
  return units_issued == schedule->units || now >= schedule->stop_us + SCHEDULE_OVERRUN_US;
}

#endif
