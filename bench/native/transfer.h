/* Connections that each move one long body after another: sending the request, and what came of it. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <sys/epoll.h>

#include "body-pattern.h"
#include "clock.h"
#include "histogram.h"
#include "http-response.h"
#include "pace.h"
#include "program.h"

struct transfer {
  int descriptor;
  bool open, connecting, resting;
  uint64_t started_us;
  size_t head_sent;
  uint64_t body_sent, body_received;
  struct pace pace;
  struct http_response response;
};

static struct transfer *transfers;
static uint32_t transfer_count, under_way;
static bool is_upload, over;
static char *head;
static size_t head_bytes;
static uint64_t body_bytes;
static double rate;
static int port, epoll;

static struct {
  uint64_t done, failed;
} counts;
static struct histogram latencies;

static void watch(struct transfer *transfer, int operation, uint32_t interest) {
  struct epoll_event event = {.events = interest, .data.ptr = transfer};
  if (epoll_ctl(epoll, operation, transfer->descriptor, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
}

static bool is_sending(const struct transfer *transfer) {
  return transfer->head_sent < head_bytes || (is_upload && transfer->body_sent < body_bytes);
}

static void rest(struct transfer *transfer) {
  transfer->resting = true;
  watch(transfer, EPOLL_CTL_MOD, 0);
}

/* Watches for what comes next. An answer may also come before its request is sent. */
static void watch_on(struct transfer *transfer) {
  transfer->resting = false;
  watch(transfer, EPOLL_CTL_MOD, is_sending(transfer) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void begin_transfer(struct transfer *transfer) {
  transfer->started_us = clock_us();
  transfer->head_sent = 0;
  transfer->body_sent = 0;
  transfer->body_received = 0;
  memset(&transfer->response, 0, sizeof transfer->response);
  pace_begin(&transfer->pace, rate, transfer->started_us);
  under_way++;
  if (!transfer->open) {
    transfer->open = true;
    transfer->connecting = true;
    transfer->descriptor = connect_loopback(port);
    if (rate > 0) pace_limit_buffer(transfer->descriptor);
    watch(transfer, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
  } else {
    watch_on(transfer);
  }
}

/* Counts a transfer that is over, and begins the next one while there is time. A connection on which one failed is not used again. */
static void end_transfer(struct transfer *transfer, const char *failure) {
  under_way--;
  if (failure == NULL) {
    counts.done++;
    histogram_record(&latencies, clock_us() - transfer->started_us);
  } else {
    if (counts.failed++ == 0) fprintf(stderr, "a transfer failed: %s\n%s\n", failure, transfer->response.head);
    close(transfer->descriptor);
    transfer->open = false;
  }
  if (!over) begin_transfer(transfer);
  else if (transfer->open) watch(transfer, EPOLL_CTL_MOD, 0);
}

/* Sends as much as may be sent; false if the transfer is over. */
static bool send_some(struct transfer *transfer) {
  while (transfer->head_sent < head_bytes) {
    ssize_t written = send(transfer->descriptor, head + transfer->head_sent, head_bytes - transfer->head_sent, MSG_NOSIGNAL);
    if (written < 0 && errno == EAGAIN) return true;
    if (written <= 0) return end_transfer(transfer, "the connection broke"), false;
    transfer->head_sent += (size_t)written;
  }
  while (is_upload && transfer->body_sent < body_bytes) {
    uint64_t left = body_bytes - transfer->body_sent;
    size_t bytes = pace_allows(&transfer->pace, clock_us(), left < PATTERN_SLICE_BYTES ? (size_t)left : PATTERN_SLICE_BYTES);
    if (bytes == 0) return rest(transfer), true;
    ssize_t written = send(transfer->descriptor, pattern_at(transfer->body_sent), bytes, MSG_NOSIGNAL);
    if (written < 0 && errno == EAGAIN) return true;
    if (written <= 0) return end_transfer(transfer, "the connection broke"), false;
    transfer->body_sent += (uint64_t)written;
    transfer->pace.moved += (uint64_t)written;
  }
  watch_on(transfer);
  return true;
}

#endif
