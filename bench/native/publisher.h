/* Publishing connections: which of them may send a unit, sending it, and what is noted when it is answered. */
#ifndef PUBLISHER_H
#define PUBLISHER_H

#include <stdbool.h>
#include <sys/epoll.h>

#include "answer-kind.h"
#include "clock.h"
#include "histogram.h"
#include "http-response.h"
#include "payload.h"
#include "program.h"
#include "schedule.h"
#include "transport.h"
#include "unit.h"
#include "variants.h"
#include "websocket-frame.h"

struct publisher {
  struct transport transport;
  bool connecting, greeting, sending, free;
  char *unit;
  size_t sent_bytes;
  uint32_t lane, sequence, outstanding, answers;
  uint64_t *started_us; /* a ring of `depth`: when each unanswered unit was due */
  uint64_t *own_late_us; /* the same: how late this program was with it */
  uint32_t oldest;
  struct frame_reader frame;
  struct http_response response;
};

static struct publisher *publishers, **free_ring;
static uint32_t publisher_count, free_first, free_count, depth, answers_per_unit;
static enum answer_kind answer_kind;
static struct unit unit;
static struct variants variants;
static int port, epoll;
static struct schedule schedule;
static uint64_t stopped_us;
static bool stopped;

static struct {
  uint64_t units, answered, refused, late_us;
} counts;
/*
 * Latencies from when a unit was due until its answer was read; the same without what this program itself was late with sending and reading; and
 * how late it was with sending.
 */
static struct histogram latencies, server_latencies, own_lateness;
/* When the system had what is being read, where it tells; and when a connection became free after there was none. */
static uint64_t arrived_us, available_us;

static void watch(struct publisher *publisher, int operation, uint32_t interest) {
  struct epoll_event event = {.events = interest, .data.ptr = publisher};
  if (epoll_ctl(epoll, operation, publisher->transport.descriptor, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
}

/* Puts a connection behind the others that may send a unit, if it may. */
static void offer(struct publisher *publisher) {
  if (publisher->free || publisher->sending || publisher->greeting || publisher->outstanding == depth) return;
  publisher->free = true;
  if (free_count == 0) available_us = arrived_us != 0 ? arrived_us : clock_us();
  free_ring[(free_first + free_count++) % publisher_count] = publisher;
}

static void open_connection(struct publisher *publisher) {
  publisher->transport.descriptor = connect_loopback(port);
  publisher->connecting = true;
  memset(&publisher->response, 0, sizeof publisher->response);
  watch(publisher, EPOLL_CTL_ADD, EPOLLOUT);
}

static void unit_answered(struct publisher *publisher, bool accepted) {
  if (publisher->outstanding == 0 || ++publisher->answers < answers_per_unit) return;
  publisher->answers = 0;
  uint64_t now = clock_us();
  uint64_t started = publisher->started_us[publisher->oldest];
  uint64_t own = publisher->own_late_us[publisher->oldest];
  publisher->oldest = (publisher->oldest + 1) % depth;
  publisher->outstanding--;
  histogram_record(&latencies, now > started ? now - started : 0);
  uint64_t arrived = arrived_us != 0 ? arrived_us : now;
  histogram_record(&server_latencies, arrived > started + own ? arrived - started - own : 0);
  histogram_record(&own_lateness, own);
  if (accepted) counts.answered++;
  else if (counts.refused++ == 0) fprintf(stderr, "a publish was refused:\n%s\n", publisher->response.head);
  offer(publisher);
}

static void unit_sent(struct publisher *publisher) {
  publisher->sending = false;
  if (answer_kind == ANSWER_NONE) unit_answered(publisher, true);
  offer(publisher);
}

static void continue_sending(struct publisher *publisher) {
  ssize_t written = transport_send(&publisher->transport, publisher->unit + publisher->sent_bytes, unit.bytes - publisher->sent_bytes);
  if (written < 0 && errno != EAGAIN) fail("cannot publish: %s", strerror(errno));
  if (written > 0) publisher->sent_bytes += (size_t)written;
  if (publisher->sent_bytes < unit.bytes) return;
  watch(publisher, EPOLL_CTL_MOD, EPOLLIN);
  unit_sent(publisher);
}

static void issue(struct publisher *publisher, uint64_t now) {
  uint64_t first_item = counts.units * unit.items;
  for (uint32_t item = 0; item < unit.items; item++) {
    uint64_t stamp = schedule_due_us(&schedule, first_item + item, now);
    payload_stamp(publisher->unit + unit.blanks[item], publisher->lane, publisher->sequence++, stamp, unit.mask);
  }
  variants_put(&variants, publisher->unit, counts.units);
  uint64_t due = schedule_unit_due_us(&schedule, counts.units, now);
  if (now > due && now - due > counts.late_us) counts.late_us = now - due;
  /* While there was no free connection, it was the server that was late. */
  uint64_t possible = due > available_us ? due : available_us;
  publisher->started_us[(publisher->oldest + publisher->outstanding) % depth] = due;
  publisher->own_late_us[(publisher->oldest + publisher->outstanding) % depth] = now > possible ? now - possible : 0;
  publisher->outstanding++;
  counts.units++;
  publisher->sent_bytes = 0;
  if (answer_kind == ANSWER_CLOSE) {
    publisher->sending = true;
    open_connection(publisher);
    return;
  }
  /* `sending` marks that EPOLLOUT is watched; the first try goes without. */
  ssize_t written = transport_send(&publisher->transport, publisher->unit, unit.bytes);
  if (written < 0 && errno != EAGAIN) fail("cannot publish: %s", strerror(errno));
  publisher->sent_bytes = written > 0 ? (size_t)written : 0;
  if (publisher->sent_bytes == unit.bytes) {
    unit_sent(publisher);
  } else {
    publisher->sending = true;
    watch(publisher, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  }
}

/* Issues what is due. Returns how long to wait at most until something else is, in microseconds. */
static int64_t pump(void) {
  for (;;) {
    uint64_t now = clock_us();
    if (schedule_finished(&schedule, counts.units, now) || variants_used_up(&variants, counts.units)) {
      if (!stopped) {
        stopped = true;
        stopped_us = now;
        puts("stopped");
        fflush(stdout);
      }
      return 1000;
    }
    uint64_t due = schedule_unit_due_us(&schedule, counts.units, now);
    if (due > now) return (int64_t)(due - now);
    if (free_count == 0) return 1000;
    struct publisher *publisher = free_ring[free_first];
    free_first = (free_first + 1) % publisher_count;
    free_count--;
    publisher->free = false;
    issue(publisher, now);
    offer(publisher);
  }
}

#endif
