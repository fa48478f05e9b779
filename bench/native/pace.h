/* Holds a body to so many bytes a second, for a client or an origin that is slow. */
#ifndef PACE_H
#define PACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* How long who is ahead of its pace rests. */
#define PACE_REST_US 5000
/* Less is not worth a call. */
#define PACE_GRAIN_BYTES (16 * 1024)
/* What the system may hold for who reads slowly: by itself it would take most of a body, and the sender would not notice. */
#define PACE_BUFFER_BYTES (64 * 1024)

struct pace {
  double bytes_per_second; /* 0: as fast as it goes */
  uint64_t started_us, moved;
};

static inline void pace_begin(struct pace *pace, double bytes_per_second, uint64_t now) {
  pace->bytes_per_second = bytes_per_second;
  pace->started_us = now;
  pace->moved = 0;
}

/* How many of `wanted` bytes, which are more than 0, may be moved now; 0 for who is ahead. */
static inline size_t pace_allows(const struct pace *pace, uint64_t now, size_t wanted) {
  if (pace->bytes_per_second <= 0) return wanted;
  uint64_t due = (uint64_t)((double)(now - pace->started_us) * pace->bytes_per_second / 1e6);
  uint64_t allowed = due > pace->moved ? due - pace->moved : 0;
  if (allowed >= wanted) return wanted;
  return allowed < PACE_GRAIN_BYTES ? 0 : (size_t)allowed;
}

static inline void pace_limit_buffer(int descriptor) {
  int bytes = PACE_BUFFER_BYTES;
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

#endif
