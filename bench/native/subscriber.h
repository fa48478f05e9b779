/* Subscribing connections: how they are opened, greeted and refused. */
#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H

#include <stdbool.h>
#include <sys/epoll.h>

#include "clock.h"
#include "greeting.h"
#include "http-response.h"
#include "program.h"
#include "request-heads.h"
#include "tally.h"
#include "transport.h"
#include "websocket-frame.h"

#define ATTEMPTS_MAX 20

enum stage { STAGE_UNOPENED, STAGE_CONNECTING, STAGE_HEAD, STAGE_GREETING, STAGE_STREAM, STAGE_REFUSED, STAGE_CLOSED };

struct subscriber {
  struct transport transport;
  enum stage stage;
  uint32_t attempts;
  uint64_t begun_us; /* when the first attempt was */
  struct tally tally;
  struct frame_reader frame;
  struct http_response response;
};

static struct subscriber *subscribers;
static uint32_t subscriber_count;
static uint32_t opened, settled, opening_max;
static bool is_websocket, waited_for;
static uint32_t payload_bytes;
static int port, epoll;
static struct request_heads heads;
static struct greeting greeting;

static struct {
  uint64_t bytes, reads, frames, closed, refused;
  uint64_t first_us, last_us;
} counts;
static uint64_t opening_us, settled_us;
/* From when a subscription was begun until it had its answer. Not reset. */
static struct histogram openings;

static void watch(struct subscriber *subscriber, int operation, uint32_t interest) {
  struct epoll_event event = {.events = interest, .data.ptr = subscriber};
  if (epoll_ctl(epoll, operation, subscriber->transport.descriptor, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
}

static void open_connection(struct subscriber *subscriber) {
  if (subscriber->attempts++ == 0) subscriber->begun_us = clock_us();
  subscriber->transport.descriptor = connect_loopback(port);
  subscriber->stage = STAGE_CONNECTING;
  watch(subscriber, EPOLL_CTL_ADD, EPOLLOUT);
}

static void open_next(void) {
  while (opened < subscriber_count && opened - settled < opening_max) open_connection(&subscribers[opened++]);
}

/* Answers `wait` once there is nothing to wait for. */
static void answer_wait(void) {
  if (!waited_for || settled < subscriber_count) return;
  waited_for = false;
  puts("{}");
  fflush(stdout);
}

static void settle(void) {
  settled++;
  settled_us = clock_us();
  answer_wait();
  open_next();
}

static void opened_stream(struct subscriber *subscriber) {
  subscriber->stage = STAGE_STREAM;
  histogram_record(&openings, clock_us() - subscriber->begun_us);
  settle();
}

/* A refusal is counted and tried again a few times: Pushpin answers some of many simultaneous subscriptions with 502. */
static void refused(struct subscriber *subscriber) {
  if (counts.refused++ == 0) fprintf(stderr, "a subscription was refused:\n%s\n", subscriber->response.head);
  transport_close(&subscriber->transport);
  memset(&subscriber->response, 0, sizeof subscriber->response);
  memset(&subscriber->frame, 0, sizeof subscriber->frame);
  if (subscriber->attempts < ATTEMPTS_MAX) {
    open_connection(subscriber);
  } else {
    subscriber->stage = STAGE_REFUSED;
    settle();
  }
}

static void send_head(struct subscriber *subscriber) {
  int error = 0;
  socklen_t error_bytes = sizeof error;
  getsockopt(subscriber->transport.descriptor, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
  if (error != 0) fail("cannot connect to port %d: %s", port, strerror(error));
  transport_begin(&subscriber->transport);
  size_t index = (size_t)(subscriber - subscribers);
  const char *head = heads.texts[index < heads.count ? index : heads.count - 1];
  ssize_t written = transport_send(&subscriber->transport, head, strlen(head));
  if (written != (ssize_t)strlen(head)) fail("cannot send a request: %s", strerror(errno));
  subscriber->stage = STAGE_HEAD;
  watch(subscriber, EPOLL_CTL_MOD, EPOLLIN);
}

static void answer_ping(struct subscriber *subscriber) {
  static const char pong[6] = {(char)0x8a, (char)0x80, 0, 0, 0, 0};
  transport_send(&subscriber->transport, pong, sizeof pong);
}

/* Centrifuge pings with a message `{}`, and wants the same. No other message of it is so short. */
static void answer_empty_message(struct subscriber *subscriber) {
  static const char empty[8] = {(char)0x81, (char)0x82, 0, 0, 0, 0, '{', '}'};
  transport_send(&subscriber->transport, empty, sizeof empty);
}

static void opened_websocket(struct subscriber *subscriber) {
  if (greeting.frames == NULL) {
    opened_stream(subscriber);
    return;
  }
  subscriber->stage = STAGE_GREETING;
  ssize_t written = transport_send(&subscriber->transport, greeting.frames, greeting.bytes);
  if (written != (ssize_t)greeting.bytes) fail("cannot send a greeting: %s", strerror(errno));
}

/* False if the connection was refused and is begun anew. */
static bool read_answer(struct subscriber *subscriber, const char *data, size_t bytes) {
  enum greeting_outcome outcome = greeting_read(&greeting, &subscriber->response, data, bytes);
  if (outcome == GREETING_REFUSED) refused(subscriber);
  if (outcome != GREETING_ANSWERED) return outcome == GREETING_PENDING;
  opened_stream(subscriber);
  return true;
}

#endif
