/* OpenSSL, as far as a Redis connection needs it: Debian 12's hiredis has no TLS of its own. */
#include "redis_tls.h"

#include "buffer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct redis_tls {
	SSL *ssl;
	char *host;
	bool wants_read;
};

static const char *
setting(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* A file that cannot be used. */
static int
refuse(const char *name, const char *file, char *why, size_t size)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	(void)snprintf(
		why, size, "%s: %s: %s", name, file, reason == NULL ? "cannot be used" : reason);
	return -1;
}

/* What the environment says. 0, or -1 with the reason. */
static int
configure(SSL_CTX *ctx, char *why, size_t size)
{
	const char *ca = setting("REDIS_CA_FILE"), *cert = setting("REDIS_CERT_FILE");
	const char *key = setting("REDIS_KEY_FILE");

	ERR_clear_error();
	if (ca != NULL ? SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1
		       : SSL_CTX_set_default_verify_paths(ctx) != 1)
		return refuse("REDIS_CA_FILE", ca == NULL ? "the system's" : ca, why, size);
	if (cert != NULL && SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return refuse("REDIS_CERT_FILE", cert, why, size);
	if (cert != NULL && key == NULL)
		key = cert;
	if (key != NULL && SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return refuse("REDIS_KEY_FILE", key, why, size);
	return 0;
}

/* For whom the certificate must be. */
static bool
expect(SSL *ssl, const char *host)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct redis_tls *
redis_tls_new(int fd, const char *host, char *why, size_t size)
{
	struct redis_tls *t = memory_grow(NULL, 1, sizeof *t);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	*t = (struct redis_tls){0};
	(void)snprintf(why, size, "TLS cannot be set up");
	if (ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
		configure(ctx, why, size) == 0) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		t->ssl = SSL_new(ctx);
	}
	SSL_CTX_free(ctx);
	if (t->ssl == NULL || !expect(t->ssl, host) || SSL_set_fd(t->ssl, fd) != 1) {
		redis_tls_free(t);
		return NULL;
	}
	t->host = memory_grow(NULL, strlen(host) + 1, 1);
	memcpy(t->host, host, strlen(host) + 1);
	(void)SSL_set_mode(
		t->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_set_connect_state(t->ssl);
	return t;
}

void
redis_tls_free(struct redis_tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	free(t->host);
	free(t);
}

/* The reason of a failure, in words that say what to change. */
static void
explain(const struct redis_tls *t, int error, char *why, size_t size, bool *denied)
{
	unsigned long code = ERR_peek_error();
	long verified = SSL_get_verify_result(t->ssl);
	const char *reason = ERR_reason_error_string(code);

	*denied = true;
	if (verified != X509_V_OK) {
		(void)snprintf(why, size, "the certificate of %s is not trusted: %s", t->host,
			X509_verify_cert_error_string(verified));
	} else if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
		   ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
		(void)snprintf(why, size, "the server does not speak TLS: use redis://");
	} else if (error == SSL_ERROR_SSL && ERR_GET_LIB(code) == ERR_LIB_SSL &&
		   ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		(void)snprintf(why, size, "TLS: %s", reason == NULL ? "failed" : reason);
	} else {
		*denied = false;
		(void)snprintf(why, size, "%s",
			error == SSL_ERROR_SYSCALL && errno != 0
				? strerror(errno)
				: "the server closed the connection");
	}
}

/* The result of an operation that came to nothing. */
static ssize_t
stopped(struct redis_tls *t, int got, char *why, size_t size, bool *denied)
{
	int saved = errno, error = SSL_get_error(t->ssl, got);

	/* Once the handshake is over, a read that finds nothing is no reason to keep what is
	 * unsent. */
	t->wants_read = error == SSL_ERROR_WANT_READ && !SSL_is_init_finished(t->ssl);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	errno = saved;
	explain(t, error, why, size, denied);
	return -1;
}

ssize_t
redis_tls_read(struct redis_tls *t, char *p, size_t n, char *why, size_t size, bool *denied)
{
	int got;

	ERR_clear_error();
	errno = 0;
	got = SSL_read(t->ssl, p, (int)n);
	if (got > 0)
		t->wants_read = false;
	return got > 0 ? got : stopped(t, got, why, size, denied);
}

ssize_t
redis_tls_write(struct redis_tls *t, const char *p, size_t n, char *why, size_t size, bool *denied)
{
	int got;

	ERR_clear_error();
	errno = 0;
	t->wants_read = false;
	got = SSL_write(t->ssl, p, n < 1 << 20 ? (int)n : 1 << 20);
	return got > 0 ? got : stopped(t, got, why, size, denied);
}

bool
redis_tls_wants_read(const struct redis_tls *t)
{
	return t->wants_read;
}

bool
redis_tls_pending(const struct redis_tls *t)
{
	return SSL_pending(t->ssl) > 0;
}
