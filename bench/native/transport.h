/*
 * A connection's bytes, over TCP or, where the program is compiled with WITH_TLS, over TLS. Sending and receiving are those of
 * `send` and `recv` on a socket that does not block, with EAGAIN where it would.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>

#include "arrival.h"
#include "program.h"

#ifdef WITH_TLS
#include "tls.h"

struct transport {
  int descriptor;
  SSL *tls;
};

/*
 * Makes a connected socket ready for use. Waits for the handshake: connections are opened before anything is measured, one
 * handshake after another.
 */
static void transport_begin(struct transport *transport) {
  static SSL_CTX *context;
  if (context == NULL) {
    context = tls_context();
    SSL_CTX_set_read_ahead(context, 1);
  }
  set_blocking(transport->descriptor, true);
  transport->tls = tls_connect(context, transport->descriptor);
  if (transport->tls == NULL) fail("a TLS handshake failed: %s", ERR_reason_error_string(ERR_peek_last_error()));
  set_blocking(transport->descriptor, false);
}

static ssize_t transport_outcome(struct transport *transport, int bytes) {
  if (bytes > 0) return bytes;
  int reason = SSL_get_error(transport->tls, bytes);
  ERR_clear_error();
  if (reason == SSL_ERROR_ZERO_RETURN) return 0;
  errno = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
  return -1;
}

static ssize_t transport_send(struct transport *transport, const void *data, size_t bytes) {
  return transport_outcome(transport, SSL_write(transport->tls, data, (int)bytes));
}

static ssize_t transport_receive(struct transport *transport, void *buffer, size_t bytes) {
  return transport_outcome(transport, SSL_read(transport->tls, buffer, (int)bytes));
}

/* What has arrived and what of it was read before are not the same here, so this is the time of reading. */
static ssize_t transport_receive_at(struct transport *transport, void *buffer, size_t bytes, uint64_t *arrived) {
  ssize_t received = transport_receive(transport, buffer, bytes);
  *arrived = clock_us();
  return received;
}

static void transport_ask_arrivals(struct transport *transport) { (void)transport; }

/* True if there are bytes that the socket's readiness does not tell of. */
static bool transport_holds_more(struct transport *transport) {
  return transport->tls != NULL && SSL_has_pending(transport->tls);
}

static void transport_close(struct transport *transport) {
  SSL_free(transport->tls);
  transport->tls = NULL;
  close(transport->descriptor);
}

#else

struct transport {
  int descriptor;
};

static void transport_begin(struct transport *transport) { (void)transport; }

static ssize_t transport_send(struct transport *transport, const void *data, size_t bytes) {
  return send(transport->descriptor, data, bytes, MSG_NOSIGNAL);
}

static ssize_t transport_receive(struct transport *transport, void *buffer, size_t bytes) {
  return recv(transport->descriptor, buffer, bytes, 0);
}

/* The same, with when the bytes had arrived. */
static ssize_t transport_receive_at(struct transport *transport, void *buffer, size_t bytes, uint64_t *arrived) {
  return arrival_receive(transport->descriptor, buffer, bytes, arrived);
}

static void transport_ask_arrivals(struct transport *transport) { arrival_ask(transport->descriptor); }

static bool transport_holds_more(struct transport *transport) {
  (void)transport;
  return false;
}

static void transport_close(struct transport *transport) { close(transport->descriptor); }

#endif
#endif
