/*
 * An origin of long bodies: answers a GET with one, and a POST when it has read all of it.
 *
 *   bodies --port P --bytes B
 *
 * A target with `?rate=R` is served at no more than R bytes a second, in either direction. A POST is answered with 200 if its B bytes are those that
 * native/transfer.c sends, and with 400 otherwise. Prints `ready` when it listens, and ends with its stdin.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/epoll.h>

#include "body-pattern.h"
#include "clock.h"
#include "pace.h"
#include "program.h"

#define HEAD_BYTES_MAX 8192
#define CONNECTIONS_MAX 4096
#define EVENTS 256

enum stage { STAGE_CLOSED, STAGE_HEAD, STAGE_READING, STAGE_ANSWERING };

struct connection {
  int descriptor;
  enum stage stage;
  bool resting, matches;
  char head[HEAD_BYTES_MAX + 1];
  size_t head_bytes;
  /* Of a POST: what its head says, and what was read. */
  uint64_t length, received;
  char answer[256];
  size_t answer_bytes, answer_sent;
  /* Of the body behind the answer's head. */
  uint64_t body_left, body_sent;
  struct pace pace;
};

static struct connection *connections[CONNECTIONS_MAX];
static uint64_t body_bytes;
static int epoll;

static void watch(struct connection *connection, int operation, uint32_t interest) {
  struct epoll_event event = {.events = interest, .data.ptr = connection};
  if (epoll_ctl(epoll, operation, connection->descriptor, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
}

static void end_connection(struct connection *connection) {
  close(connection->descriptor);
  connection->stage = STAGE_CLOSED;
  connection->resting = false;
}

static void rest(struct connection *connection) {
  connection->resting = true;
  watch(connection, EPOLL_CTL_MOD, 0);
}

static void answer(struct connection *connection, const char *status, uint64_t bytes) {
  connection->answer_bytes = (size_t)snprintf(connection->answer, sizeof connection->answer, "HTTP/1.1 %s\r\nContent-Length: %llu\r\n\r\n", status,
                                              (unsigned long long)bytes);
  connection->answer_sent = 0;
  connection->body_left = bytes;
  connection->body_sent = 0;
  connection->stage = STAGE_ANSWERING;
  watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
}

static void take_body(struct connection *connection, const char *data, size_t bytes) {
  connection->matches = connection->matches && pattern_matches(connection->received, data, bytes);
  connection->received += bytes;
  if (connection->received < connection->length) return;
  answer(connection, connection->matches && connection->received == body_bytes ? "200 OK" : "400 Bad Request", 0);
}

/* The number behind `name` in the head, or `otherwise`. */
static double number_behind(const struct connection *connection, const char *name, double otherwise) {
  const char *found = strcasestr(connection->head, name);
  return found == NULL ? otherwise : strtod(found + strlen(name), NULL);
}

/* The head is complete: `rest_bytes` of what was read belong to the body. */
static void take_head(struct connection *connection, const char *body, size_t rest_bytes) {
  pace_begin(&connection->pace, number_behind(connection, "?rate=", 0), clock_us());
  if (connection->pace.bytes_per_second > 0) pace_limit_buffer(connection->descriptor);
  if (strncmp(connection->head, "GET ", 4) == 0) {
    answer(connection, "200 OK", body_bytes);
    return;
  }
  connection->length = (uint64_t)number_behind(connection, "\r\ncontent-length:", 0);
  if (connection->length == 0) fail("a request without a length:\n%s", connection->head);
  connection->received = 0;
  connection->matches = true;
  connection->stage = STAGE_READING;
  if (rest_bytes > 0) take_body(connection, body, rest_bytes);
}

static void read_head(struct connection *connection) {
  ssize_t bytes = recv(connection->descriptor, connection->head + connection->head_bytes, HEAD_BYTES_MAX - connection->head_bytes, 0);
  if (bytes < 0 && errno == EAGAIN) return;
  if (bytes <= 0) {
    end_connection(connection);
    return;
  }
  connection->head_bytes += (size_t)bytes;
  connection->head[connection->head_bytes] = 0;
  char *end = strstr(connection->head, "\r\n\r\n");
  if (end == NULL && connection->head_bytes == HEAD_BYTES_MAX) fail("too large a head");
  if (end == NULL) return;
  end[2] = 0;
  size_t whole = (size_t)(end + 4 - connection->head);
  take_head(connection, end + 4, connection->head_bytes - whole);
  connection->head_bytes = 0;
}

static void read_body(struct connection *connection) {
  static char buffer[PATTERN_SLICE_BYTES];
  size_t allowed = pace_allows(&connection->pace, clock_us(), sizeof buffer);
  if (allowed == 0) {
    rest(connection);
    return;
  }
  ssize_t bytes = recv(connection->descriptor, buffer, allowed, 0);
  if (bytes < 0 && errno == EAGAIN) return;
  if (bytes <= 0) {
    end_connection(connection);
    return;
  }
  connection->pace.moved += (uint64_t)bytes;
  take_body(connection, buffer, (size_t)bytes);
}

static void send_answer(struct connection *connection) {
  while (connection->answer_sent < connection->answer_bytes || connection->body_left > 0) {
    bool is_head = connection->answer_sent < connection->answer_bytes;
    uint64_t left = is_head ? connection->answer_bytes - connection->answer_sent : connection->body_left;
    size_t wanted = left < PATTERN_SLICE_BYTES ? (size_t)left : PATTERN_SLICE_BYTES;
    size_t allowed = is_head ? wanted : pace_allows(&connection->pace, clock_us(), wanted);
    if (allowed == 0) {
      rest(connection);
      return;
    }
    const char *data = is_head ? connection->answer + connection->answer_sent : pattern_at(connection->body_sent);
    ssize_t bytes = send(connection->descriptor, data, allowed, MSG_NOSIGNAL | (is_head && connection->body_left > 0 ? MSG_MORE : 0));
    if (bytes < 0 && errno == EAGAIN) return;
    if (bytes <= 0) {
      end_connection(connection);
      return;
    }
    if (is_head) {
      connection->answer_sent += (size_t)bytes;
      continue;
    }
    connection->body_sent += (uint64_t)bytes;
    connection->body_left -= (uint64_t)bytes;
    connection->pace.moved += (uint64_t)bytes;
  }
  connection->stage = STAGE_HEAD;
  watch(connection, EPOLL_CTL_MOD, EPOLLIN);
}

static void serve(struct connection *connection) {
  if (connection->stage == STAGE_HEAD) read_head(connection);
  else if (connection->stage == STAGE_READING) read_body(connection);
  else if (connection->stage == STAGE_ANSWERING) send_answer(connection);
}

static void wake_resting(void) {
  for (int at = 0; at < CONNECTIONS_MAX; at++) {
    struct connection *connection = connections[at];
    if (connection == NULL || !connection->resting) continue;
    connection->resting = false;
    watch(connection, EPOLL_CTL_MOD, connection->stage == STAGE_ANSWERING ? EPOLLOUT : EPOLLIN);
  }
}

static void accept_one(int listener) {
  int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) return;
  if (descriptor >= CONNECTIONS_MAX) fail("too many connections");
  int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct connection *connection = connections[descriptor];
  if (connection == NULL) connection = connections[descriptor] = malloc(sizeof *connection);
  memset(connection, 0, sizeof *connection);
  connection->descriptor = descriptor;
  connection->stage = STAGE_HEAD;
  watch(connection, EPOLL_CTL_ADD, EPOLLIN);
}

static int listen_loopback(int port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1024) != 0) {
    fail("cannot listen on port %d: %s", port, strerror(errno));
  }
  return listener;
}

int main(int argument_count, char **arguments) {
  allow_many_files();
  pattern_make();
  body_bytes = (uint64_t)argument_number(argument_count, arguments, "--bytes", NULL);
  struct connection listener = {.descriptor = listen_loopback((int)argument_number(argument_count, arguments, "--port", NULL))};
  struct connection commands = {.descriptor = STDIN_FILENO};
  epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
  watch(&commands, EPOLL_CTL_ADD, EPOLLIN);
  puts("ready");
  fflush(stdout);

  struct epoll_event events[EVENTS];
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS, PACE_REST_US / 1000);
    for (int at = 0; at < ready; at++) {
      struct connection *connection = events[at].data.ptr;
      if (connection == &commands) return 0;
      if (connection == &listener) accept_one(listener.descriptor);
      else serve(connection);
    }
    wake_resting();
  }
}
