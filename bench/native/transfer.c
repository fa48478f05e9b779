/*
 * Moves long bodies over a few connections, each one after another.
 *
 *   transfer --port P --target T --direction download|upload --connections N --bytes B --seconds S [--rate R]
 *
 * A download is a GET whose answer has B bytes, an upload a POST of B bytes with a Content-Length. Each byte of a download is compared with what
 * native/bodies.c sends, which compares those of an upload. With `--rate` no connection moves more than so many bytes a second, and the system holds
 * little for it. At least one body is moved on each connection; none is begun after S seconds, and all that were begun are finished.
 *
 * Prints `ready`; starts at a line on stdin; prints `stopped` when the last body is over, then one line of JSON, and ends. Latencies are of whole
 * transfers.
 */
#define _GNU_SOURCE
#include "transfer.h"

#define READ_BYTES PATTERN_SLICE_BYTES
#define EVENTS 256

/* Takes what was received; false if the transfer is over. */
static bool take(struct transfer *transfer, const char *data, const char *end) {
  while (data < end || http_step_pending(&transfer->response)) {
    const char *body;
    size_t bytes;
    enum http_event event = http_next(&transfer->response, &data, end, &body, &bytes);
    if (event == HTTP_HEAD_DONE && transfer->response.status != 200) return end_transfer(transfer, "the answer is not 200"), false;
    if (event == HTTP_BODY) {
      if (!is_upload && !pattern_matches(transfer->body_received, body, bytes)) return end_transfer(transfer, "a byte is wrong"), false;
      transfer->body_received += bytes;
    }
    if (event != HTTP_END) continue;
    if (is_sending(transfer)) return end_transfer(transfer, "the answer came before the body was sent"), false;
    if (!is_upload && transfer->body_received != body_bytes) return end_transfer(transfer, "bytes are missing"), false;
    end_transfer(transfer, NULL);
    return false;
  }
  return true;
}

static void read_some(struct transfer *transfer) {
  static char buffer[READ_BYTES];
  for (;;) {
    size_t allowed = is_upload ? sizeof buffer : pace_allows(&transfer->pace, clock_us(), sizeof buffer);
    if (allowed == 0) {
      rest(transfer);
      return;
    }
    ssize_t bytes = recv(transfer->descriptor, buffer, allowed, 0);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (bytes <= 0) {
      end_transfer(transfer, "the connection ended");
      return;
    }
    transfer->pace.moved += is_upload ? 0 : (uint64_t)bytes;
    if (!take(transfer, buffer, buffer + bytes) || (size_t)bytes < allowed) return;
  }
}

static void connected(struct transfer *transfer) {
  int error = 0;
  socklen_t error_bytes = sizeof error;
  getsockopt(transfer->descriptor, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
  if (error != 0) fail("cannot connect to port %d: %s", port, strerror(error));
  transfer->connecting = false;
}

static void serve(struct transfer *transfer, uint32_t events) {
  if (transfer->connecting) connected(transfer);
  if ((events & EPOLLOUT) && is_sending(transfer) && !send_some(transfer)) return;
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_some(transfer);
}

/* Lets those go on that were ahead of their pace. */
static void wake_resting(void) {
  for (uint32_t index = 0; index < transfer_count; index++) {
    if (transfers[index].resting) watch_on(&transfers[index]);
  }
}

int main(int argument_count, char **arguments) {
  allow_many_files();
  pattern_make();
  port = (int)argument_number(argument_count, arguments, "--port", NULL);
  is_upload = strcmp(argument(argument_count, arguments, "--direction", NULL), "upload") == 0;
  transfer_count = (uint32_t)argument_number(argument_count, arguments, "--connections", NULL);
  body_bytes = (uint64_t)argument_number(argument_count, arguments, "--bytes", NULL);
  rate = argument_number(argument_count, arguments, "--rate", "0");
  double seconds = argument_number(argument_count, arguments, "--seconds", NULL);
  const char *target = argument(argument_count, arguments, "--target", NULL);
  int made = is_upload ? asprintf(&head, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %llu\r\n\r\n", target, (unsigned long long)body_bytes)
                       : asprintf(&head, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", target);
  if (made < 0) fail("no memory");
  head_bytes = (size_t)made;
  epoll = epoll_create1(EPOLL_CLOEXEC);
  transfers = calloc(transfer_count, sizeof *transfers);
  puts("ready");
  fflush(stdout);
  char line[64];
  if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;

  uint64_t started_us = clock_us();
  uint64_t end_us = started_us + (uint64_t)(seconds * 1e6);
  for (uint32_t index = 0; index < transfer_count; index++) begin_transfer(&transfers[index]);
  struct epoll_event events[EVENTS];
  while (under_way > 0) {
    int ready = epoll_wait(epoll, events, EVENTS, PACE_REST_US / 1000);
    over = clock_us() >= end_us;
    for (int at = 0; at < ready; at++) serve(events[at].data.ptr, events[at].events);
    if (rate > 0) wake_resting();
  }
  uint64_t stopped_us = clock_us();
  puts("stopped");
  printf("{\"done\":%llu,\"failed\":%llu,\"startedUs\":%llu,\"stoppedUs\":%llu,\"latencies\":", (unsigned long long)counts.done,
         (unsigned long long)counts.failed, (unsigned long long)started_us, (unsigned long long)stopped_us);
  histogram_print(&latencies, stdout);
  puts("}");
  fflush(stdout);
  return 0;
}
