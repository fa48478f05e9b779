/*
 * What a client says once its WebSocket is open, and how it knows that it was understood: for protocols in which the handshake alone
 * subscribes to nothing, such as Centrifuge's.
 */
#ifndef GREETING_H
#define GREETING_H

#include <string.h>

#include "http-response.h"
#include "program.h"

struct greeting {
  char *frames; /* masked, as they are sent; NULL if nothing is said */
  size_t bytes;
  const char *answer, *refusal;
};

enum greeting_outcome { GREETING_PENDING, GREETING_ANSWERED, GREETING_REFUSED };

static struct greeting read_greeting(const char *path, const char *answer, const char *refusal) {
  struct greeting greeting = {.answer = answer, .refusal = refusal};
  if (*path != 0) greeting.frames = read_whole(path, &greeting.bytes);
  return greeting;
}

/* Takes a slice of what the server says. Its beginning is kept in `kept->head`, where the head of the response no longer matters. */
static enum greeting_outcome greeting_read(const struct greeting *greeting, struct http_response *kept, const char *data, size_t bytes) {
  size_t room = HTTP_HEAD_BYTES_KEPT - kept->head_bytes;
  size_t taken = bytes < room ? bytes : room;
  memcpy(kept->head + kept->head_bytes, data, taken);
  kept->head_bytes += (uint32_t)taken;
  kept->head[kept->head_bytes] = 0;
  if (strstr(kept->head, greeting->refusal) != NULL) return GREETING_REFUSED;
  return strstr(kept->head, greeting->answer) != NULL ? GREETING_ANSWERED : GREETING_PENDING;
}

#endif
