/*
 * Reads HTTP/1.1 responses from slices of bytes, one step per call: the head, then slices of the body, then the end.
 * For benchmarks on loopback: it trusts the server as far as framing goes, and keeps no more of a head than it needs.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HTTP_HEAD_BYTES_KEPT 1536

enum http_phase { HTTP_HEAD, HTTP_LENGTH, HTTP_CHUNK_SIZE, HTTP_CHUNK_DATA, HTTP_CHUNK_END, HTTP_TRAILER, HTTP_UNTIL_CLOSE };
enum http_event { HTTP_MORE, HTTP_HEAD_DONE, HTTP_BODY, HTTP_END };

struct http_response {
  enum http_phase phase;
  int status;
  uint32_t head_bytes;
  uint32_t line_bytes;
  uint64_t left;
  char head[HTTP_HEAD_BYTES_KEPT + 1];
};

static const char *http_header(const struct http_response *response, const char *name) {
  size_t name_bytes = strlen(name);
  for (const char *line = strstr(response->head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, name_bytes) == 0 && line[2 + name_bytes] == ':') {
      const char *value = line + 2 + name_bytes + 1;
      while (*value == ' ') value++;
      return value;
    }
  }
  return NULL;
}

static enum http_event http_head_done(struct http_response *response) {
  response->head[response->head_bytes < HTTP_HEAD_BYTES_KEPT ? response->head_bytes : HTTP_HEAD_BYTES_KEPT] = 0;
  response->status = response->head_bytes > 12 ? atoi(response->head + 9) : 0;
  response->head_bytes = 0;
  response->line_bytes = 0;
  if (response->status == 100) return HTTP_MORE;
  const char *coding = http_header(response, "transfer-encoding");
  const char *length = http_header(response, "content-length");
  response->left = 0;
  if (coding != NULL && strncasecmp(coding, "chunked", 7) == 0) {
    response->phase = HTTP_CHUNK_SIZE;
  } else if (length != NULL || response->status == 204) {
    response->left = length == NULL ? 0 : strtoull(length, NULL, 10);
    response->phase = HTTP_LENGTH;
  } else {
    response->phase = HTTP_UNTIL_CLOSE;
  }
  return HTTP_HEAD_DONE;
}

/*
 * Takes the next step in `[*data, end)` and advances `*data`. On HTTP_BODY, `*body` and `*body_bytes` tell the slice.
 * HTTP_MORE with `*data < end` means "call again"; HTTP_END can come without any input, once a body is complete.
 */
static enum http_event http_next(struct http_response *response, const char **data, const char *end, const char **body,
                                 size_t *body_bytes) {
  switch (response->phase) {
    case HTTP_HEAD:
      while (*data < end) {
        char byte = *(*data)++;
        if (response->head_bytes < HTTP_HEAD_BYTES_KEPT) response->head[response->head_bytes] = byte;
        response->head_bytes++;
        if (byte == '\n') {
          if (response->line_bytes == 0) return http_head_done(response);
          response->line_bytes = 0;
        } else if (byte != '\r') {
          response->line_bytes++;
        }
      }
      return HTTP_MORE;
    case HTTP_LENGTH:
    case HTTP_CHUNK_DATA: {
      if (response->left == 0) {
        if (response->phase == HTTP_CHUNK_DATA) {
          response->phase = HTTP_CHUNK_END;
          return HTTP_MORE;
        }
        response->phase = HTTP_HEAD;
        return HTTP_END;
      }
      size_t present = (size_t)(end - *data);
      *body = *data;
      *body_bytes = present < response->left ? present : (size_t)response->left;
      if (*body_bytes == 0) return HTTP_MORE;
      response->left -= *body_bytes;
      *data += *body_bytes;
      return HTTP_BODY;
    }
    case HTTP_CHUNK_SIZE:
      while (*data < end) {
        char byte = *(*data)++;
        if (byte == '\n') {
          response->phase = response->left == 0 ? HTTP_TRAILER : HTTP_CHUNK_DATA;
          response->line_bytes = 0;
          return HTTP_MORE;
        }
        if (byte >= '0' && byte <= '9') response->left = response->left * 16 + (uint64_t)(byte - '0');
        else if ((byte | 32) >= 'a' && (byte | 32) <= 'f') response->left = response->left * 16 + (uint64_t)((byte | 32) - 'a' + 10);
      }
      return HTTP_MORE;
    case HTTP_CHUNK_END:
      while (*data < end) {
        if (*(*data)++ == '\n') {
          response->phase = HTTP_CHUNK_SIZE;
          return HTTP_MORE;
        }
      }
      return HTTP_MORE;
    case HTTP_TRAILER:
      while (*data < end) {
        char byte = *(*data)++;
        if (byte == '\n') {
          if (response->line_bytes == 0) {
            response->phase = HTTP_HEAD;
            return HTTP_END;
          }
          response->line_bytes = 0;
        } else if (byte != '\r') {
          response->line_bytes++;
        }
      }
      return HTTP_MORE;
    case HTTP_UNTIL_CLOSE:
      *body = *data;
      *body_bytes = (size_t)(end - *data);
      *data = end;
      return *body_bytes == 0 ? HTTP_MORE : HTTP_BODY;
  }
  return HTTP_MORE;
}

/* True where a step may produce something without further input: a body that has just become complete. */
static inline int http_step_pending(const struct http_response *response) {
  return response->phase == HTTP_LENGTH && response->left == 0;
}

#endif
