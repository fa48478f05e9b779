/* Walks the frames that a WebSocket server sends (RFC 6455, 5.2), one step per call: slices of payload, then the frame's end. */
#ifndef WEBSOCKET_FRAME_H
#define WEBSOCKET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEBSOCKET_CLOSE 0x8
#define WEBSOCKET_PING 0x9

enum frame_event { FRAME_MORE, FRAME_PAYLOAD, FRAME_END };

struct frame_reader {
  uint8_t header[10];
  uint8_t header_bytes;
  bool in_payload;
  uint64_t left;
};

static inline uint8_t frame_opcode(const struct frame_reader *frame) { return frame->header[0] & 0x0f; }

/* The length as the second byte has it: the payload's, if below 126. */
static inline uint8_t frame_short_length(const struct frame_reader *frame) { return frame->header[1] & 0x7f; }

/* The last frame of a data message: what a benchmark counts as one. */
static inline bool frame_ends_message(const struct frame_reader *frame) {
  return (frame->header[0] & 0x80) != 0 && frame_opcode(frame) < WEBSOCKET_CLOSE;
}

static inline enum frame_event frame_next(struct frame_reader *frame, const char **data, const char *end, const char **payload,
                                          size_t *payload_bytes) {
  while (!frame->in_payload) {
    uint8_t needed = 2;
    if (frame->header_bytes >= 2) {
      uint8_t length = frame->header[1] & 0x7f;
      needed = length == 127 ? 10 : length == 126 ? 4 : 2;
      if (frame->header_bytes == needed) {
        frame->left = length < 126 ? length : 0;
        for (uint8_t at = 2; at < needed; at++) frame->left = frame->left << 8 | frame->header[at];
        frame->in_payload = true;
        break;
      }
    }
    if (*data == end) return FRAME_MORE;
    frame->header[frame->header_bytes++] = (uint8_t) * (*data)++;
  }
  if (frame->left == 0) {
    frame->in_payload = false;
    frame->header_bytes = 0;
    return FRAME_END;
  }
  size_t present = (size_t)(end - *data);
  *payload = *data;
  *payload_bytes = present < frame->left ? present : (size_t)frame->left;
  if (*payload_bytes == 0) return FRAME_MORE;
  frame->left -= *payload_bytes;
  *data += *payload_bytes;
  return FRAME_PAYLOAD;
}

#endif
