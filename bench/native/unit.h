/* What a publisher sends again and again, with the places in it where payloads are stamped. */
#ifndef UNIT_H
#define UNIT_H

#include <string.h>

#include "payload.h"
#include "program.h"

struct unit {
  char *content;
  size_t bytes;
  /* Where each blank payload begins, and how many there are. */
  size_t *blanks;
  uint32_t items;
  /* XORed with every byte of a payload: the masking key of WebSocket frames, one byte four times; otherwise 0. */
  char mask;
};

/* Reads a unit from a file and finds the blank payloads in it. */
static struct unit read_unit(const char *path, char mask) {
  struct unit unit = {.mask = mask};
  unit.content = read_whole(path, &unit.bytes);
  char pattern[PAYLOAD_STAMP_BYTES];
  for (int at = 0; at < PAYLOAD_STAMP_BYTES; at++) pattern[at] = PAYLOAD_BLANK[at] ^ mask;
  unit.blanks = malloc((unit.bytes / PAYLOAD_STAMP_BYTES + 1) * sizeof *unit.blanks);
  const char *end = unit.content + unit.bytes;
  for (char *at = unit.content; (at = memmem(at, (size_t)(end - at), pattern, PAYLOAD_STAMP_BYTES)) != NULL; at++) {
    unit.blanks[unit.items++] = (size_t)(at - unit.content);
  }
  if (unit.items == 0) fail("%s holds no payload", path);
  return unit;
}

#endif
