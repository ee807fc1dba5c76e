/* SPDX-License-Identifier: MIT */
/* Refuses TLS in a build without OpenSSL (transport_parts.h).  The calls of a connection never
 * come, since no transport is made. */
#include "transport_parts.h"

const char *transport_tls_missing(void)
{
	return "this bpfengine was built without OpenSSL: install libssl-dev and build with -Dtls=enabled";
}

int transport_tls_make(struct transport *t, char *why, size_t room)
{
	(void)t;
	snprintf(why, room, "%s", transport_tls_missing());
	return -1;
}

int transport_tls_begin(struct transport *t, char *why, size_t room)
{
	return transport_tls_make(t, why, room);
}

int transport_tls_shake(struct transport *t, char *why, size_t room)
{
	return transport_tls_make(t, why, room);
}

int transport_tls_write(
	struct transport *t, const uint8_t *bytes, uint32_t n, char *why, size_t room)
{
	(void)bytes;
	(void)n;
	return transport_tls_make(t, why, room);
}

int transport_tls_drain(struct transport *t, char *why, size_t room)
{
	return transport_tls_make(t, why, room);
}

uint64_t transport_tls_written(const struct transport *t)
{
	(void)t;
	return 0;
}

void transport_tls_reset(struct transport *t)
{
	(void)t;
}

void transport_tls_end(struct transport *t)
{
	(void)t;
}

void transport_tls_free(struct transport *t)
{
	(void)t;
}
