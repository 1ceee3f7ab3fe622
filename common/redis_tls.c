/* OpenSSL, as far as a Redis connection needs it: Debian 12's hiredis has no TLS of its own. */
#include "redis_tls.h"

#include "redis_wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
setting_of(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* A file that cannot be used. */
static int
refuse_file(struct redis_wire *w, const char *name, const char *file)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	(void)snprintf(w->why, sizeof w->why, "%s: %s: %s", name, file,
		reason == NULL ? "cannot be used" : reason);
	return -1;
}

/* What the environment says. 0, or -1 with the reason. */
static int
configure_context(struct redis_wire *w, SSL_CTX *ctx)
{
	const char *ca = setting_of("REDIS_CA_FILE"), *cert = setting_of("REDIS_CERT_FILE");
	const char *key = setting_of("REDIS_KEY_FILE");

	ERR_clear_error();
	if (ca != NULL ? SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1
		       : SSL_CTX_set_default_verify_paths(ctx) != 1)
		return refuse_file(w, "REDIS_CA_FILE", ca == NULL ? "the system's" : ca);
	if (cert != NULL && SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return refuse_file(w, "REDIS_CERT_FILE", cert);
	if (cert != NULL && key == NULL)
		key = cert;
	if (key != NULL && SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return refuse_file(w, "REDIS_KEY_FILE", key);
	return 0;
}

/* For whom the certificate must be. OpenSSL's macro takes the const off a name. */
static bool
expect_host(SSL *ssl, char *host)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

int
redis_tls_start(struct redis_wire *w)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	(void)snprintf(w->why, sizeof w->why, "TLS cannot be set up");
	if (ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
		configure_context(w, ctx) == 0) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		w->ssl = SSL_new(ctx);
	}
	SSL_CTX_free(ctx);
	w->denied =
		w->ssl == NULL || !expect_host(w->ssl, w->host) || SSL_set_fd(w->ssl, w->fd) != 1;
	if (w->denied)
		return -1;
	(void)SSL_set_mode(
		w->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_set_connect_state(w->ssl);
	return 0;
}

void
redis_tls_free(struct redis_wire *w)
{
	SSL_free(w->ssl);
	w->ssl = NULL;
	w->wants_read = false;
}

/* The reason of a failure, in words that say what to change. */
static void
explain_error(struct redis_wire *w, int error)
{
	unsigned long code = ERR_peek_error();
	long verified = SSL_get_verify_result(w->ssl);
	const char *reason = ERR_reason_error_string(code);

	w->denied = true;
	if (verified != X509_V_OK) {
		(void)snprintf(w->why, sizeof w->why, "the certificate of %s is not trusted: %s",
			w->host, X509_verify_cert_error_string(verified));
	} else if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
		   ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
		(void)snprintf(
			w->why, sizeof w->why, "the server does not speak TLS: use redis://");
	} else if (error == SSL_ERROR_SSL && ERR_GET_LIB(code) == ERR_LIB_SSL &&
		   ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		(void)snprintf(
			w->why, sizeof w->why, "TLS: %s", reason == NULL ? "failed" : reason);
	} else {
		w->denied = false;
		(void)snprintf(w->why, sizeof w->why, "%s",
			error == SSL_ERROR_SYSCALL && errno != 0
				? strerror(errno)
				: "the server closed the connection");
	}
}

/* The result of an operation that came to nothing. */
static ssize_t
operation_stopped(struct redis_wire *w, int got)
{
	int saved = errno, error = SSL_get_error(w->ssl, got);

	/* Once the handshake is over, a read that finds nothing is not a reason to keep what is
	 * unsent. */
	w->wants_read = error == SSL_ERROR_WANT_READ && !SSL_is_init_finished(w->ssl);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	errno = saved;
	explain_error(w, error);
	return -1;
}

ssize_t
redis_tls_read(struct redis_wire *w, char *p, size_t n)
{
	int got;

	ERR_clear_error();
	errno = 0;
	got = SSL_read(w->ssl, p, (int)n);
	if (got > 0)
		w->wants_read = false;
	return got > 0 ? got : operation_stopped(w, got);
}

ssize_t
redis_tls_write(struct redis_wire *w, const char *p, size_t n)
{
	int got;

	ERR_clear_error();
	errno = 0;
	w->wants_read = false;
	got = SSL_write(w->ssl, p, n < 1 << 20 ? (int)n : 1 << 20);
	return got > 0 ? got : operation_stopped(w, got);
}

bool
redis_tls_pending(const struct redis_wire *w)
{
	return w->ssl != NULL && SSL_pending(w->ssl) > 0;
}
