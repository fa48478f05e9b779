/* What both programs need around their work: arguments, files, sockets, and an end with a reason. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

/* The value of `--name value`, or `otherwise`. */
static const char *argument(int count, char **values, const char *name, const char *otherwise) {
  for (int at = 1; at + 1 < count; at += 2) {
    if (strcmp(values[at], name) == 0) return values[at + 1];
  }
  if (otherwise == NULL) fail("missing argument %s", name);
  return otherwise;
}

static double argument_number(int count, char **values, const char *name, const char *otherwise) {
  return strtod(argument(count, values, name, otherwise), NULL);
}

/* The whole file, with a zero byte behind it. */
static char *read_whole(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("cannot open %s: %s", path, strerror(errno));
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  char *content = malloc(*bytes + 1);
  if (fread(content, 1, *bytes, file) != *bytes) fail("cannot read %s", path);
  content[*bytes] = 0;
  fclose(file);
  return content;
}

/* Raises the soft limit of open files to the hard one. */
static void allow_many_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/* Begins to connect to a port of this machine; the socket does not block. */
static int connect_loopback(int port) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("cannot open a socket: %s", strerror(errno));
  int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
    fail("cannot connect to port %d: %s", port, strerror(errno));
  }
  return descriptor;
}

#endif
