/* A text within a unit that is another one each time it is sent, such as a token per request. */
#ifndef VARIANTS_H
#define VARIANTS_H

#include <stdbool.h>
#include <string.h>

#include "program.h"
#include "unit.h"

struct variants {
  char *content; /* NULL if units are all alike */
  size_t bytes, place;
  uint64_t count;
};

/* Reads lines of equal length from a file and finds the first of them in the unit, where the others will stand in turn. */
static struct variants read_variants(const char *path, const struct unit *unit) {
  struct variants variants = {0};
  size_t file_bytes;
  variants.content = read_whole(path, &file_bytes);
  variants.bytes = strcspn(variants.content, "\n");
  size_t stride = variants.bytes + 1;
  variants.count = file_bytes / stride;
  if (variants.bytes == 0 || variants.count == 0 || file_bytes % stride != 0) fail("the lines of %s are not of one length", path);
  for (uint64_t line = 0; line < variants.count; line++) {
    if (variants.content[line * stride + variants.bytes] != '\n') fail("the lines of %s are not of one length", path);
  }
  const char *place = memmem(unit->content, unit->bytes, variants.content, variants.bytes);
  if (place == NULL) fail("the first line of %s is not in the unit", path);
  variants.place = (size_t)(place - unit->content);
  return variants;
}

/* Puts the variant of the unit with this number into it. */
static inline void variants_put(const struct variants *variants, char *unit, uint64_t number) {
  if (variants->content == NULL) return;
  memcpy(unit + variants->place, variants->content + number * (variants->bytes + 1), variants->bytes);
}

/* No variant is sent twice: after the last one, publishing ends. */
static inline bool variants_used_up(const struct variants *variants, uint64_t units) {
  return variants->content != NULL && units >= variants->count;
}

#endif
