/*
 * When the system had received what a program reads: the time until the program comes to reading it, because it is one of several on its
 * core, is then not taken for the server's.
 */
#ifndef ARRIVAL_H
#define ARRIVAL_H

#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"

/* Asks for the times of what arrives on a socket. */
static inline void arrival_ask(int descriptor) {
  int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

/* The system tells them by CLOCK_REALTIME; both clocks are read here, close together. */
static inline uint64_t arrival_us(const struct timespec *arrival, uint64_t now) {
  struct timespec real;
  clock_gettime(CLOCK_REALTIME, &real);
  int64_t ago = (int64_t)(real.tv_sec - arrival->tv_sec) * 1000000 + (real.tv_nsec - arrival->tv_nsec) / 1000;
  return ago > 0 && (uint64_t)ago < now ? now - (uint64_t)ago : now;
}

/* As `recv`; `*arrived` is when the last of these bytes had arrived, or now where the system does not tell. */
static inline ssize_t arrival_receive(int descriptor, void *buffer, size_t bytes, uint64_t *arrived) {
  char control[128];
  struct iovec slice = {.iov_base = buffer, .iov_len = bytes};
  struct msghdr message = {.msg_iov = &slice, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t received = recvmsg(descriptor, &message, 0);
  *arrived = clock_us();
  if (received <= 0) return received;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec arrival;
    memcpy(&arrival, CMSG_DATA(part), sizeof arrival);
    *arrived = arrival_us(&arrival, *arrived);
  }
  return received;
}

#endif
