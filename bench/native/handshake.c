/*
 * Connects anew for each request: TCP, a whole TLS 1.3 handshake, one request, the beginning of its answer, and the end.
 *
 *   handshake --port P --request FILE --connections N --seconds S
 *
 * N threads do so one connection after another. Prints `ready`; starts at a line on stdin; prints `stopped` when the time is over,
 * then one line of JSON, and ends. Latencies run from before connecting until the answer.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>

#include "clock.h"
#include "histogram.h"
#include "program.h"
#include "tls.h"

struct worker {
  pthread_t thread;
  uint64_t done, failed, resumed;
  struct histogram latencies;
};

static SSL_CTX *context;
static int port;
static char *request;
static size_t request_bytes;
static atomic_bool over;

static bool exchange(struct worker *worker) {
  int descriptor = connect_loopback(port);
  /* The first thing that the handshake sends waits until the socket is connected. */
  set_blocking(descriptor, true);
  SSL *tls = tls_connect(context, descriptor);
  bool answered = false;
  if (tls != NULL) {
    char answer[4096];
    worker->resumed += SSL_session_reused(tls) == 1;
    answered = SSL_write(tls, request, (int)request_bytes) == (int)request_bytes && SSL_read(tls, answer, sizeof answer) >= 12 &&
               memcmp(answer, "HTTP/1.1 ", 9) == 0;
    SSL_free(tls);
  }
  ERR_clear_error();
  close(descriptor);
  return answered;
}

static void *work(void *argument) {
  struct worker *worker = argument;
  /* At least one each, so that a run is never empty. */
  do {
    uint64_t started = clock_us();
    if (exchange(worker)) {
      worker->done++;
      histogram_record(&worker->latencies, clock_us() - started);
    } else {
      worker->failed++;
    }
  } while (!over);
  return NULL;
}

static void add_histogram(struct histogram *sum, const struct histogram *one) {
  for (int index = 0; index < HISTOGRAM_BUCKETS; index++) sum->counts[index] += one->counts[index];
  if (one->maximum > sum->maximum) sum->maximum = one->maximum;
}

int main(int argument_count, char **arguments) {
  allow_many_files();
  port = (int)argument_number(argument_count, arguments, "--port", NULL);
  request = read_whole(argument(argument_count, arguments, "--request", NULL), &request_bytes);
  uint32_t count = (uint32_t)argument_number(argument_count, arguments, "--connections", "32");
  double seconds = argument_number(argument_count, arguments, "--seconds", NULL);
  context = tls_context();
  puts("ready");
  fflush(stdout);
  char line[64];
  if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;

  struct worker *workers = calloc(count, sizeof *workers);
  uint64_t started = clock_us();
  for (uint32_t index = 0; index < count; index++) {
    if (pthread_create(&workers[index].thread, NULL, work, &workers[index]) != 0) fail("cannot start a thread");
  }
  usleep((useconds_t)(seconds * 1e6));
  over = true;
  uint64_t stopped = clock_us();
  puts("stopped");
  fflush(stdout);
  static struct worker sum;
  for (uint32_t index = 0; index < count; index++) {
    pthread_join(workers[index].thread, NULL);
    sum.done += workers[index].done;
    sum.failed += workers[index].failed;
    sum.resumed += workers[index].resumed;
    add_histogram(&sum.latencies, &workers[index].latencies);
  }
  printf("{\"done\":%llu,\"failed\":%llu,\"resumed\":%llu,\"startedUs\":%llu,\"stoppedUs\":%llu,\"latencies\":", (unsigned long long)sum.done,
         (unsigned long long)sum.failed, (unsigned long long)sum.resumed, (unsigned long long)started, (unsigned long long)stopped);
  histogram_print(&sum.latencies, stdout);
  puts("}");
  fflush(stdout);
  return 0;
}
