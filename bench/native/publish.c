/*
 * Publishes messages over a few connections, saturating or by a schedule.
 *
 *   publish --port P --unit FILE --connections N [--depth N] [--answers KIND] [--answers-per-unit N]
 *           [--framing http|websocket] [--head FILE] [--mask BYTE] [--variants FILE] --seconds S [--rate R]
 *
 * FILE is what is sent again and again: a request, several, a chunk of a body, a few frames. Each blank payload in it
 * (see payload.h) is stamped just before sending. HEAD goes out once per connection before anything else. A connection has at
 * most `--depth` units that are unanswered. What answers a unit is, by KIND:
 *
 *   response   an HTTP response          frame   a WebSocket data frame      line   a line of the body of one long response
 *   close      the connection's end, as of servers without keep-alive       none   nothing: only TCP holds the sender back
 *
 * With `--variants`, a file of lines of equal length, the first of which is in the unit, each unit has the next line in that place, and
 * publishing ends after the last one.
 *
 * Without `--rate` a unit goes out as soon as a connection may send one, and the stamp is that moment. With it (messages per
 * second) message k has its stamp at start + k / R whatever happens, and a unit goes out when its last message is due or, if
 * the server is behind, as soon after as it can: delays are counted, never left out. How late this program itself was with sending, although a
 * connection was free, is told apart, and so are the latencies without that and without the time from an answer's arrival until it was read.
 *
 * Compiled with WITH_TLS it speaks TLS. Prints `ready` when connected; starts at a line on stdin; prints `stopped` when the last unit is under way, then waits for
 * the answers, prints one line of JSON, and ends.
 */
#define _GNU_SOURCE
#include "publisher.h"

#define READ_BYTES (64 * 1024)
#define EVENTS 256
#define ANSWER_TIMEOUT_US 10000000

static char *head;
static size_t head_bytes;
static bool is_websocket, running;
static uint32_t connected;

static void greeted(struct publisher *publisher) {
  publisher->greeting = false;
  if (++connected == publisher_count) {
    puts("ready");
    fflush(stdout);
  }
  offer(publisher);
}

static void connection_made(struct publisher *publisher) {
  int error = 0;
  socklen_t error_bytes = sizeof error;
  getsockopt(publisher->transport.descriptor, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
  if (error != 0) fail("cannot connect to port %d: %s", port, strerror(error));
  publisher->connecting = false;
  transport_begin(&publisher->transport);
  if (schedule.rate > 0) transport_ask_arrivals(&publisher->transport);
  if (answer_kind == ANSWER_CLOSE) {
    continue_sending(publisher);
    return;
  }
  watch(publisher, EPOLL_CTL_MOD, EPOLLIN);
  if (head != NULL && transport_send(&publisher->transport, head, head_bytes) != (ssize_t)head_bytes) fail("cannot send the head");
  if (!is_websocket) greeted(publisher);
}

static void read_frames(struct publisher *publisher, const char *data, const char *end) {
  for (;;) {
    const char *payload;
    size_t bytes;
    enum frame_event event = frame_next(&publisher->frame, &data, end, &payload, &bytes);
    if (event == FRAME_MORE) return;
    if (event == FRAME_END && answer_kind == ANSWER_FRAME && frame_ends_message(&publisher->frame)) unit_answered(publisher, true);
    if (event == FRAME_END && frame_opcode(&publisher->frame) == WEBSOCKET_CLOSE) fail("the server closed the WebSocket");
  }
}

static void read_body(struct publisher *publisher, const char *body, size_t bytes) {
  const char *end = body + bytes;
  for (const char *newline; (newline = memchr(body, '\n', (size_t)(end - body))) != NULL; body = newline + 1) {
    unit_answered(publisher, publisher->response.status / 100 == 2);
  }
}

static void read_response(struct publisher *publisher, const char *data, const char *end) {
  while (data < end || http_step_pending(&publisher->response)) {
    const char *body;
    size_t bytes;
    enum http_event event = http_next(&publisher->response, &data, end, &body, &bytes);
    if (event == HTTP_BODY && answer_kind == ANSWER_LINE) read_body(publisher, body, bytes);
    if (event == HTTP_END && answer_kind == ANSWER_RESPONSE) unit_answered(publisher, publisher->response.status / 100 == 2);
    if (event == HTTP_HEAD_DONE && is_websocket) {
      if (publisher->response.status != 101) fail("the server refused the WebSocket:\n%s", publisher->response.head);
      greeted(publisher);
      read_frames(publisher, data, end);
      return;
    }
  }
}

static void connection_ended(struct publisher *publisher) {
  if (answer_kind != ANSWER_CLOSE) fail("the server closed a publishing connection:\n%s", publisher->response.head);
  transport_close(&publisher->transport);
  publisher->sending = false;
  unit_answered(publisher, publisher->response.status / 100 == 2);
}

/* False if there was nothing to read. */
static bool read_some(struct publisher *publisher) {
  static char buffer[READ_BYTES];
  ssize_t bytes = transport_receive_at(&publisher->transport, buffer, sizeof buffer, &arrived_us);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (bytes <= 0) connection_ended(publisher);
  else if (is_websocket && !publisher->greeting) read_frames(publisher, buffer, buffer + bytes);
  else read_response(publisher, buffer, buffer + bytes);
  arrived_us = 0;
  return true;
}

static void begin(void) {
  char line[64];
  if (read(STDIN_FILENO, line, sizeof line) <= 0) exit(0);
  epoll_ctl(epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
  running = true;
  schedule_begin(&schedule);
}

static void print_result(uint64_t unanswered) {
#define FIELD(name, value) printf("\"%s\":%llu,", name, (unsigned long long)(value))
  putchar('{');
  FIELD("sent", counts.units * unit.items);
  FIELD("accepted", counts.answered * unit.items);
  FIELD("refused", counts.refused * unit.items);
  FIELD("unanswered", unanswered * unit.items);
  FIELD("startedUs", schedule.start_us);
  FIELD("stoppedUs", stopped_us);
  FIELD("lateUs", counts.late_us);
#undef FIELD
  fputs("\"latencies\":", stdout);
  histogram_print(&latencies, stdout);
  fputs(",\"serverLatencies\":", stdout);
  histogram_print(&server_latencies, stdout);
  fputs(",\"ownLateness\":", stdout);
  histogram_print(&own_lateness, stdout);
  puts("}");
  fflush(stdout);
}

static uint64_t unanswered_units(void) {
  uint64_t units = 0;
  for (uint32_t index = 0; index < publisher_count; index++) units += publishers[index].outstanding;
  return units;
}

int main(int argument_count, char **arguments) {
  allow_many_files();
  port = (int)argument_number(argument_count, arguments, "--port", NULL);
  publisher_count = (uint32_t)argument_number(argument_count, arguments, "--connections", NULL);
  depth = (uint32_t)argument_number(argument_count, arguments, "--depth", "1");
  answers_per_unit = (uint32_t)argument_number(argument_count, arguments, "--answers-per-unit", "1");
  answer_kind = parse_answer_kind(argument(argument_count, arguments, "--answers", "response"));
  is_websocket = strcmp(argument(argument_count, arguments, "--framing", "http"), "websocket") == 0;
  schedule.seconds = argument_number(argument_count, arguments, "--seconds", NULL);
  schedule.rate = argument_number(argument_count, arguments, "--rate", "0");
  char mask = (char)argument_number(argument_count, arguments, "--mask", "0");
  unit = read_unit(argument(argument_count, arguments, "--unit", NULL), mask);
  schedule.unit_items = unit.items;
  const char *variants_file = argument(argument_count, arguments, "--variants", "");
  if (*variants_file != 0) variants = read_variants(variants_file, &unit);
  const char *head_file = argument(argument_count, arguments, "--head", "");
  if (*head_file != 0) head = read_whole(head_file, &head_bytes);
  if (answer_kind == ANSWER_NONE) answers_per_unit = 1;
  if (answer_kind == ANSWER_CLOSE) depth = 1;
  if (publisher_count > PAYLOAD_LANES_MAX) fail("--connections is at most %d", PAYLOAD_LANES_MAX);

  epoll = epoll_create1(EPOLL_CLOEXEC);
  publishers = calloc(publisher_count, sizeof *publishers);
  free_ring = calloc(publisher_count, sizeof *free_ring);
  for (uint32_t index = 0; index < publisher_count; index++) {
    struct publisher *publisher = &publishers[index];
    publisher->lane = index;
    publisher->unit = memcpy(malloc(unit.bytes), unit.content, unit.bytes);
    publisher->started_us = calloc(depth, sizeof(uint64_t));
    publisher->own_late_us = calloc(depth, sizeof(uint64_t));
    publisher->greeting = true;
    if (answer_kind == ANSWER_CLOSE) greeted(publisher);
    else open_connection(publisher);
  }
  struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands);

  struct epoll_event events[EVENTS];
  int64_t wait_us = -1;
  for (;;) {
    struct timespec wait = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    int ready = epoll_pwait2(epoll, events, EVENTS, wait_us < 0 ? NULL : &wait, NULL);
    for (int at = 0; at < ready; at++) {
      struct publisher *publisher = events[at].data.ptr;
      if (publisher == NULL) {
        begin();
        continue;
      }
      if (publisher->connecting) {
        connection_made(publisher);
        continue;
      }
      if (events[at].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        while (read_some(publisher) && transport_holds_more(&publisher->transport)) continue;
      }
      if ((events[at].events & EPOLLOUT) && publisher->sending) continue_sending(publisher);
    }
    if (!running) continue;
    wait_us = pump();
    if (!stopped) continue;
    uint64_t unanswered = unanswered_units();
    bool sending = false;
    for (uint32_t index = 0; index < publisher_count; index++) sending |= publishers[index].sending;
    if ((unanswered == 0 && !sending) || clock_us() > stopped_us + ANSWER_TIMEOUT_US) {
      print_result(unanswered);
      return 0;
    }
  }
}
