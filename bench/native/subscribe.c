/*
 * Opens many subscriptions and counts every message on each of them.
 *
 *   subscribe --port P --requests FILE --connections N --framing http|websocket --payload BYTES [--checked N] [--opening N]
 *             [--greeting FILE --answer TEXT --refusal TEXT]
 *
 * FILE holds request heads one after another; connection i sends head i, or the last one if there are fewer. The bytes of
 * `--greeting` are sent once a WebSocket is open; it counts as answered when TEXT has come. Obeys lines on stdin, each answered by one line:
 *
 *   wait         {} as soon as all connections have an answer
 *   reset        forget all counts; sequences are expected to begin at 0
 *   target N     from now on note when connections have had N messages
 *   report       {"open":..,"refused":..,"closed":..,"messages":..,...}
 *   latencies    {"maximum":..,"buckets":[..]} from the intended time of sending, in microseconds
 *   openings     the same, from when a subscription was begun until it had its answer
 *
 * Compiled with WITH_TLS it speaks TLS. Every connection is counted and timed; `--checked` of them, spread evenly, also have the sequences of every lane checked.
 */
#define _GNU_SOURCE
#include "subscriber.h"

#define READ_BYTES (256 * 1024)
#define EVENTS 256

static void read_frames(struct subscriber *subscriber, const char *data, const char *end, uint64_t now) {
  for (;;) {
    const char *payload;
    size_t bytes;
    enum frame_event event = frame_next(&subscriber->frame, &data, end, &payload, &bytes);
    if (event == FRAME_MORE) return;
    if (event == FRAME_PAYLOAD) {
      if (subscriber->stage == STAGE_GREETING && !read_answer(subscriber, payload, bytes)) return;
      count_payloads(&subscriber->tally, payload, bytes, payload_bytes, now);
    } else if (frame_ends_message(&subscriber->frame)) {
      counts.frames++;
      if (greeting.frames != NULL && frame_short_length(&subscriber->frame) == 2) answer_empty_message(subscriber);
    } else if (frame_opcode(&subscriber->frame) == WEBSOCKET_PING) {
      answer_ping(subscriber);
    }
  }
}

static void read_response(struct subscriber *subscriber, const char *data, const char *end, uint64_t now) {
  while (data < end || http_step_pending(&subscriber->response)) {
    const char *body;
    size_t bytes;
    enum http_event event = http_next(&subscriber->response, &data, end, &body, &bytes);
    if (event == HTTP_BODY) {
      count_payloads(&subscriber->tally, body, bytes, payload_bytes, now);
    } else if (event == HTTP_HEAD_DONE) {
      if (subscriber->response.status != (is_websocket ? 101 : 200)) {
        refused(subscriber);
        return;
      }
      if (is_websocket) {
        opened_websocket(subscriber);
        read_frames(subscriber, data, end, now);
        return;
      }
      opened_stream(subscriber);
    } else if (event == HTTP_END) {
      return;
    }
  }
}

/* False if there was nothing to read. */
static bool read_some(struct subscriber *subscriber) {
  static char buffer[READ_BYTES];
  ssize_t bytes = transport_receive(&subscriber->transport, buffer, sizeof buffer);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (bytes <= 0) {
    if (subscriber->stage == STAGE_HEAD || subscriber->stage == STAGE_GREETING) {
      refused(subscriber);
      return true;
    }
    counts.closed++;
    subscriber->stage = STAGE_CLOSED;
    transport_close(&subscriber->transport);
    return true;
  }
  uint64_t now = clock_us();
  counts.reads++;
  counts.bytes += (uint64_t)bytes;
  if (counts.first_us == 0) counts.first_us = now;
  counts.last_us = now;
  if (subscriber->stage != STAGE_HEAD && is_websocket) read_frames(subscriber, buffer, buffer + bytes, now);
  else read_response(subscriber, buffer, buffer + bytes, now);
  return true;
}

/* Reads until the socket's readiness tells of all that is left. */
static void read_all(struct subscriber *subscriber) {
  while (read_some(subscriber) && subscriber->stage != STAGE_CONNECTING && transport_holds_more(&subscriber->transport)) continue;
}

static void reset(void) {
  memset(&counts, 0, sizeof counts);
  memset(&total, 0, sizeof total);
  for (uint32_t index = 0; index < subscriber_count; index++) tally_reset(&subscribers[index].tally);
}

static void set_target(uint64_t messages) {
  memset(&target, 0, sizeof target);
  target.messages = messages;
  for (uint32_t index = 0; index < subscriber_count; index++) target.reached += subscribers[index].tally.messages >= messages;
}

static void report(void) {
  uint64_t open = 0, least = UINT64_MAX, most = 0;
  for (uint32_t index = 0; index < subscriber_count; index++) {
    open += subscribers[index].stage == STAGE_STREAM;
    uint64_t messages = subscribers[index].tally.messages;
    if (messages < least) least = messages;
    if (messages > most) most = messages;
  }
#define FIELD(name, value) printf("\"%s\":%llu,", name, (unsigned long long)(value))
  putchar('{');
  FIELD("open", open);
  FIELD("refused", counts.refused);
  FIELD("closed", counts.closed);
  FIELD("messages", total.messages);
  FIELD("least", least);
  FIELD("most", most);
  FIELD("frames", counts.frames);
  FIELD("bytes", counts.bytes);
  FIELD("reads", counts.reads);
  FIELD("foreign", total.foreign);
  FIELD("missing", total.missing);
  FIELD("repeated", total.repeated);
  FIELD("openingUs", opening_us);
  FIELD("settledUs", settled_us);
  FIELD("firstUs", counts.first_us);
  FIELD("lastUs", counts.last_us);
  FIELD("latencyMaximumUs", total.latencies.maximum);
  FIELD("targetReached", target.reached);
  FIELD("targetReachedUs", target.reached_us);
  printf("\"nowUs\":%llu}\n", (unsigned long long)clock_us());
#undef FIELD
}

static void obey(const char *line) {
  if (strcmp(line, "wait") == 0) {
    waited_for = true;
    answer_wait();
  } else if (strcmp(line, "reset") == 0) {
    reset();
    puts("{}");
  } else if (strncmp(line, "target ", 7) == 0) {
    set_target(strtoull(line + 7, NULL, 10));
    puts("{}");
  } else if (strcmp(line, "report") == 0) {
    report();
  } else if (strcmp(line, "latencies") == 0 || strcmp(line, "openings") == 0) {
    histogram_print(*line == 'l' ? &total.latencies : &openings, stdout);
    putchar('\n');
  } else {
    fail("unknown command: %s", line);
  }
  fflush(stdout);
}

/* Reads commands; the end of stdin ends the program, so that it never outlives the benchmark. */
static void read_commands(void) {
  static char input[4096];
  static size_t held;
  ssize_t bytes = read(STDIN_FILENO, input + held, sizeof input - held);
  if (bytes <= 0) exit(0);
  held += (size_t)bytes;
  char *line = input;
  for (char *newline; (newline = memchr(line, '\n', held)) != NULL; line = newline + 1) {
    *newline = 0;
    held -= (size_t)(newline + 1 - line);
    obey(line);
  }
  memmove(input, line, held);
}

int main(int argument_count, char **arguments) {
  allow_many_files();
  port = (int)argument_number(argument_count, arguments, "--port", NULL);
  subscriber_count = (uint32_t)argument_number(argument_count, arguments, "--connections", NULL);
  is_websocket = strcmp(argument(argument_count, arguments, "--framing", NULL), "websocket") == 0;
  payload_bytes = (uint32_t)argument_number(argument_count, arguments, "--payload", "100");
  opening_max = (uint32_t)argument_number(argument_count, arguments, "--opening", "100");
  uint32_t checked = (uint32_t)argument_number(argument_count, arguments, "--checked", "100");
  heads = read_request_heads(argument(argument_count, arguments, "--requests", NULL));
  greeting = read_greeting(argument(argument_count, arguments, "--greeting", ""), argument(argument_count, arguments, "--answer", ""),
                           argument(argument_count, arguments, "--refusal", ""));
  if (payload_bytes <= PAYLOAD_STAMP_BYTES || payload_bytes > PAYLOAD_BYTES_MAX) fail("--payload is out of range");

  subscribers = calloc(subscriber_count, sizeof *subscribers);
  uint32_t stride = checked == 0 ? 0 : checked >= subscriber_count ? 1 : subscriber_count / checked;
  for (uint32_t index = 0; stride > 0 && index < subscriber_count; index += stride) {
    tally_check(&subscribers[index].tally);
  }
  epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands);
  opening_us = clock_us();
  open_next();

  struct epoll_event events[EVENTS];
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int at = 0; at < ready; at++) {
      struct subscriber *subscriber = events[at].data.ptr;
      if (subscriber == NULL) read_commands();
      else if (subscriber->stage == STAGE_CONNECTING) send_head(subscriber);
      else read_all(subscriber);
    }
  }
}
