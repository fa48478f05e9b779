/* TLS 1.3 as a client that trusts any server, since all are on this machine, and that never resumes a session. */
#ifndef TLS_H
#define TLS_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>

#include "program.h"

static int trust_any(X509_STORE_CTX *chain, void *nothing) {
  (void)chain;
  (void)nothing;
  return 1;
}

static SSL_CTX *tls_context(void) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (context == NULL) fail("OpenSSL gives no context");
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  /* Who only ignores the outcome of the verification still pays for it. */
  SSL_CTX_set_cert_verify_callback(context, trust_any, NULL);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  /* OpenSSL writes without MSG_NOSIGNAL. */
  signal(SIGPIPE, SIG_IGN);
  return context;
}

static void set_blocking(int descriptor, bool blocking) {
  int flags = fcntl(descriptor, F_GETFL);
  fcntl(descriptor, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

/* Shakes hands over a socket that blocks. NULL if that fails. */
static SSL *tls_connect(SSL_CTX *context, int descriptor) {
  SSL *tls = SSL_new(context);
  if (tls == NULL) fail("OpenSSL gives no connection");
  SSL_set_fd(tls, descriptor);
  if (SSL_connect(tls) == 1) return tls;
  SSL_free(tls);
  return NULL;
}

#endif
