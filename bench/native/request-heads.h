/* The heads of GET requests, one after another in a file. */
#ifndef REQUEST_HEADS_H
#define REQUEST_HEADS_H

#include <string.h>

#include "program.h"

struct request_heads {
  char **texts;
  uint32_t count;
};

static struct request_heads read_request_heads(const char *path) {
  struct request_heads heads = {0};
  size_t bytes;
  char *content = read_whole(path, &bytes);
  heads.texts = malloc((bytes / 4 + 1) * sizeof *heads.texts);
  for (char *head = content, *blank; (blank = strstr(head, "\r\n\r\n")) != NULL; head = blank + 4) {
    heads.texts[heads.count++] = strndup(head, (size_t)(blank + 4 - head));
  }
  if (heads.count == 0) fail("%s holds no request head", path);
  free(content);
  return heads;
}

#endif
