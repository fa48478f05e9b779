/*
 * Opens many subscriptions and counts every message on each of them.
 *
 *   subscribe --port P --requests FILE --connections N --framing http|websocket --payload BYTES [--checked N] [--opening N]
 *
 * FILE holds request heads one after another; connection i sends head i, or the last one if there are fewer. Obeys lines on
 * stdin, each answered by one line:
 *
 *   wait         {} as soon as all connections have an answer
 *   reset        forget all counts; sequences are expected to begin at 0
 *   target N     from now on note when connections have had N messages
 *   report       {"open":..,"refused":..,"closed":..,"messages":..,...}
 *   latencies    {"maximum":..,"buckets":[..]} from the intended time of sending, in microseconds
 *
 * Every connection is counted and timed; `--checked` of them, spread evenly, also have the sequences of every lane checked.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/epoll.h>

#include "clock.h"
#include "histogram.h"
#include "http-response.h"
#include "payload.h"
#include "program.h"
#include "websocket-frame.h"

#define READ_BYTES (256 * 1024)
#define EVENTS 256
#define ATTEMPTS_MAX 20

enum stage { STAGE_UNOPENED, STAGE_CONNECTING, STAGE_HEAD, STAGE_STREAM, STAGE_REFUSED, STAGE_CLOSED };

struct subscriber {
  int descriptor;
  enum stage stage;
  uint32_t attempts;
  uint32_t *expected; /* the next sequence of each lane; NULL if this one is only counted */
  uint64_t messages;
  struct payload_scanner scanner;
  struct frame_reader frame;
  struct http_response response;
};

static struct subscriber *subscribers;
static uint32_t subscriber_count;
static uint32_t opened, settled, opening_max;
static bool is_websocket, waited_for;
static uint32_t payload_bytes;
static int port, epoll;
static char **heads;
static uint32_t head_count;

static struct {
  uint64_t messages, bytes, reads, foreign, missing, repeated, frames, closed, refused;
  uint64_t first_us, last_us;
} counts;
static struct histogram latencies;
static uint64_t target, target_reached, target_reached_us, opening_us;

static void watch(struct subscriber *subscriber, int operation, uint32_t interest) {
  struct epoll_event event = {.events = interest, .data.ptr = subscriber};
  if (epoll_ctl(epoll, operation, subscriber->descriptor, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
}

static void open_connection(struct subscriber *subscriber) {
  subscriber->attempts++;
  subscriber->descriptor = connect_loopback(port);
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
  answer_wait();
  open_next();
}

/* A refusal is counted and tried again a few times: Pushpin answers some of many simultaneous subscriptions with 502. */
static void refused(struct subscriber *subscriber) {
  if (counts.refused++ == 0) fprintf(stderr, "a subscription was refused:\n%s\n", subscriber->response.head);
  close(subscriber->descriptor);
  memset(&subscriber->response, 0, sizeof subscriber->response);
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
  getsockopt(subscriber->descriptor, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
  if (error != 0) fail("cannot connect to port %d: %s", port, strerror(error));
  size_t index = (size_t)(subscriber - subscribers);
  const char *head = heads[index < head_count ? index : head_count - 1];
  ssize_t written = send(subscriber->descriptor, head, strlen(head), MSG_NOSIGNAL);
  if (written != (ssize_t)strlen(head)) fail("cannot send a request: %s", strerror(errno));
  subscriber->stage = STAGE_HEAD;
  watch(subscriber, EPOLL_CTL_MOD, EPOLLIN);
}

static void check_order(struct subscriber *subscriber, const char *payload) {
  uint32_t lane = payload_lane(payload);
  if (lane >= PAYLOAD_LANES_MAX) return;
  uint32_t sequence = payload_sequence(payload);
  uint32_t expected = subscriber->expected[lane];
  if (sequence < expected) {
    counts.repeated++;
    return;
  }
  counts.missing += sequence - expected;
  subscriber->expected[lane] = sequence + 1;
}

static void count_payloads(struct subscriber *subscriber, const char *data, size_t bytes, uint64_t now) {
  const char *end = data + bytes;
  const char *payload;
  while ((payload = payload_next(&subscriber->scanner, &data, end, payload_bytes, &counts.foreign)) != NULL) {
    counts.messages++;
    if (++subscriber->messages == target) {
      target_reached++;
      target_reached_us = now;
    }
    uint64_t sent = payload_time_us(payload);
    histogram_record(&latencies, now > sent ? now - sent : 0);
    if (subscriber->expected != NULL) check_order(subscriber, payload);
  }
}

static void answer_ping(struct subscriber *subscriber) {
  static const char pong[6] = {(char)0x8a, (char)0x80, 0, 0, 0, 0};
  send(subscriber->descriptor, pong, sizeof pong, MSG_NOSIGNAL);
}

static void read_frames(struct subscriber *subscriber, const char *data, const char *end, uint64_t now) {
  for (;;) {
    const char *payload;
    size_t bytes;
    enum frame_event event = frame_next(&subscriber->frame, &data, end, &payload, &bytes);
    if (event == FRAME_MORE) return;
    if (event == FRAME_PAYLOAD) {
      count_payloads(subscriber, payload, bytes, now);
    } else if (frame_ends_message(&subscriber->frame)) {
      counts.frames++;
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
      count_payloads(subscriber, body, bytes, now);
    } else if (event == HTTP_HEAD_DONE) {
      if (subscriber->response.status != (is_websocket ? 101 : 200)) {
        refused(subscriber);
        return;
      }
      subscriber->stage = STAGE_STREAM;
      settle();
      if (is_websocket) {
        read_frames(subscriber, data, end, now);
        return;
      }
    } else if (event == HTTP_END) {
      return;
    }
  }
}

static void read_some(struct subscriber *subscriber) {
  static char buffer[READ_BYTES];
  ssize_t bytes = recv(subscriber->descriptor, buffer, sizeof buffer, 0);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (bytes <= 0) {
    if (subscriber->stage == STAGE_HEAD) {
      refused(subscriber);
      return;
    }
    counts.closed++;
    subscriber->stage = STAGE_CLOSED;
    close(subscriber->descriptor);
    return;
  }
  uint64_t now = clock_us();
  counts.reads++;
  counts.bytes += (uint64_t)bytes;
  if (counts.first_us == 0) counts.first_us = now;
  counts.last_us = now;
  if (subscriber->stage == STAGE_STREAM && is_websocket) read_frames(subscriber, buffer, buffer + bytes, now);
  else read_response(subscriber, buffer, buffer + bytes, now);
}

static void reset(void) {
  memset(&counts, 0, sizeof counts);
  histogram_clear(&latencies);
  for (uint32_t index = 0; index < subscriber_count; index++) {
    subscribers[index].messages = 0;
    if (subscribers[index].expected != NULL) memset(subscribers[index].expected, 0, PAYLOAD_LANES_MAX * sizeof(uint32_t));
  }
}

static void set_target(uint64_t messages) {
  target = messages;
  target_reached = 0;
  target_reached_us = 0;
  for (uint32_t index = 0; index < subscriber_count; index++) target_reached += subscribers[index].messages >= messages;
}

static void report(void) {
  uint64_t open = 0, least = UINT64_MAX, most = 0;
  for (uint32_t index = 0; index < subscriber_count; index++) {
    open += subscribers[index].stage == STAGE_STREAM;
    if (subscribers[index].messages < least) least = subscribers[index].messages;
    if (subscribers[index].messages > most) most = subscribers[index].messages;
  }
#define FIELD(name, value) printf("\"%s\":%llu,", name, (unsigned long long)(value))
  putchar('{');
  FIELD("open", open);
  FIELD("refused", counts.refused);
  FIELD("closed", counts.closed);
  FIELD("messages", counts.messages);
  FIELD("least", least);
  FIELD("most", most);
  FIELD("frames", counts.frames);
  FIELD("bytes", counts.bytes);
  FIELD("reads", counts.reads);
  FIELD("foreign", counts.foreign);
  FIELD("missing", counts.missing);
  FIELD("repeated", counts.repeated);
  FIELD("openingUs", opening_us);
  FIELD("firstUs", counts.first_us);
  FIELD("lastUs", counts.last_us);
  FIELD("latencyMaximumUs", latencies.maximum);
  FIELD("targetReached", target_reached);
  FIELD("targetReachedUs", target_reached_us);
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
  } else if (strcmp(line, "latencies") == 0) {
    histogram_print(&latencies, stdout);
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

static void split_heads(const char *path) {
  size_t bytes;
  char *content = read_whole(path, &bytes);
  heads = malloc((bytes / 16 + 1) * sizeof *heads);
  for (char *head = content, *blank; (blank = strstr(head, "\r\n\r\n")) != NULL; head = blank + 4) {
    size_t head_bytes = (size_t)(blank + 4 - head);
    heads[head_count] = malloc(head_bytes + 1);
    memcpy(heads[head_count], head, head_bytes);
    heads[head_count++][head_bytes] = 0;
  }
  if (head_count == 0) fail("%s holds no request head", path);
  free(content);
}

int main(int argument_count, char **arguments) {
  allow_many_files();
  port = (int)argument_number(argument_count, arguments, "--port", NULL);
  subscriber_count = (uint32_t)argument_number(argument_count, arguments, "--connections", NULL);
  is_websocket = strcmp(argument(argument_count, arguments, "--framing", NULL), "websocket") == 0;
  payload_bytes = (uint32_t)argument_number(argument_count, arguments, "--payload", "100");
  opening_max = (uint32_t)argument_number(argument_count, arguments, "--opening", "100");
  uint32_t checked = (uint32_t)argument_number(argument_count, arguments, "--checked", "100");
  split_heads(argument(argument_count, arguments, "--requests", NULL));
  if (payload_bytes <= PAYLOAD_STAMP_BYTES || payload_bytes > PAYLOAD_BYTES_MAX) fail("--payload is out of range");

  subscribers = calloc(subscriber_count, sizeof *subscribers);
  uint32_t stride = checked == 0 ? 0 : checked >= subscriber_count ? 1 : subscriber_count / checked;
  for (uint32_t index = 0; stride > 0 && index < subscriber_count; index += stride) {
    subscribers[index].expected = calloc(PAYLOAD_LANES_MAX, sizeof(uint32_t));
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
      else read_some(subscriber);
    }
  }
}
