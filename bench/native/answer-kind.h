/* What tells a publisher that a unit has arrived; see publish.c. */
#ifndef ANSWER_KIND_H
#define ANSWER_KIND_H

#include <string.h>

#include "program.h"

enum answer_kind { ANSWER_RESPONSE, ANSWER_FRAME, ANSWER_LINE, ANSWER_CLOSE, ANSWER_NONE };

static enum answer_kind parse_answer_kind(const char *name) {
  static const char *const names[] = {"response", "frame", "line", "close", "none"};
  for (int kind = 0; kind < 5; kind++) {
    if (strcmp(name, names[kind]) == 0) return (enum answer_kind)kind;
  }
  fail("unknown kind of answer: %s", name);
}

#endif
