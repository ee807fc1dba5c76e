/* SPDX-License-Identifier: MIT */
/* Handshake messages of TLS, put together byte by byte for tests. */
#ifndef HELLO_BYTES_H
#define HELLO_BYTES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A message under way. */
struct made {
	uint8_t bytes[32768];
	size_t n;
};

static inline void make_bytes(struct made *made, const void *bytes, size_t n)
{
	if (n)
		memcpy(made->bytes + made->n, bytes, n);
	made->n += n;
}

/* Adds a number of `width` bytes, big-endian. */
static inline void make_number(struct made *made, size_t width, uint64_t number)
{
	for (size_t i = width; i-- > 0;)
		made->bytes[made->n++] = (uint8_t)(number >> 8 * i);
}

/* Leaves room for a length; returns where. */
static inline size_t make_open(struct made *made, size_t width)
{
	made->n += width;
	return made->n;
}

/* Fills in the length of all bytes since make_open. */
static inline void make_close(struct made *made, size_t start, size_t width)
{
	const size_t length = made->n - start;

	for (size_t i = 0; i < width; i++)
		made->bytes[start - 1 - i] = (uint8_t)(length >> 8 * i);
}

static inline void make_numbers(struct made *made, const uint16_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		make_number(made, 2, numbers[i]);
}

/* Adds an extension with a list, which has a length of `width` bytes. */
static inline void make_list_extension(
	struct made *made, uint16_t type, size_t width, const uint16_t *numbers, size_t n)
{
	make_number(made, 2, type);
	const size_t data = make_open(made, 2);
	const size_t list = make_open(made, width);
	make_numbers(made, numbers, n);
	make_close(made, list, width);
	make_close(made, data, 2);
}

static inline void make_extension(struct made *made, uint16_t type, const void *bytes, size_t n)
{
	make_number(made, 2, type);
	make_number(made, 2, n);
	make_bytes(made, bytes, n);
}

static inline void make_server_name(struct made *made, const char *name)
{
	make_number(made, 2, 0);
	const size_t data = make_open(made, 2);
	const size_t list = make_open(made, 2);
	make_number(made, 1, 0);
	make_number(made, 2, strlen(name));
	make_bytes(made, name, strlen(name));
	make_close(made, list, 2);
	make_close(made, data, 2);
}

/* Adds ALPN: each protocol of names, which has spaces between them. */
static inline void make_protocols(struct made *made, const char *names)
{
	make_number(made, 2, 16);
	const size_t data = make_open(made, 2);
	const size_t list = make_open(made, 2);
	while (*names) {
		const size_t n = strcspn(names, " ");
		make_number(made, 1, n);
		make_bytes(made, names, n);
		names += n + (names[n] == ' ');
	}
	make_close(made, list, 2);
	make_close(made, data, 2);
}

/* Begins a ClientHello.  cookie: 0, or 1 for the empty cookie of DTLS.  Returns where the body
 * begins. */
static inline size_t make_client_start(
	struct made *made, uint16_t version, int cookie, const uint16_t *ciphers, size_t n)
{
	make_number(made, 1, 1);
	const size_t body = make_open(made, 3);
	make_number(made, 2, version);
	for (uint8_t i = 0; i < 32; i++)
		make_number(made, 1, i);
	make_number(made, 1, 0); /* no session */
	if (cookie)
		make_number(made, 1, 0);
	make_number(made, 2, 2 * n);
	make_numbers(made, ciphers, n);
	make_number(made, 2, 0x0100); /* no compression */
	return body;
}

/* Adds a hello as browsers send them: name, protocols, versions, groups, signatures. */
static inline void make_usual_hello(struct made *made, const char *name, size_t padding)
{
	static const uint16_t ciphers[] = { 0x2a2a, 0x1301, 0x1302, 0xc02f };
	static const uint16_t versions[] = { 0x1a1a, 0x0304, 0x0303 };
	static const uint16_t groups[] = { 0x3a3a, 0x11ec, 0x001d };
	static const uint16_t signatures[] = { 0x0403, 0x0804 };
	static const uint8_t zeros[4096];
	const size_t body = make_client_start(made, 0x0303, 0, ciphers, 4);
	const size_t extensions = make_open(made, 2);

	make_list_extension(made, 43, 1, versions, 3);
	make_server_name(made, name);
	make_protocols(made, "h2 http/1.1");
	make_list_extension(made, 10, 2, groups, 3);
	make_list_extension(made, 13, 2, signatures, 2);
	make_extension(made, 21, zeros, padding);
	make_close(made, extensions, 2);
	make_close(made, body, 3);
}

/* Puts bytes into records of at most `size` bytes. */
static inline void make_tls_records(
	struct made *made, uint8_t type, const uint8_t *bytes, size_t n, size_t size)
{
	for (size_t at = 0; at < n; at += size) {
		const size_t part = n - at < size ? n - at : size;
		make_number(made, 1, type);
		make_number(made, 2, 0x0301);
		make_number(made, 2, part);
		make_bytes(made, bytes + at, part);
	}
}

/* Returns a copy in memory of exactly n bytes, so that a sanitizer sees a read behind them. */
static inline uint8_t *copy_exact(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = NULL;

	if (n < 1u << 30) /* gcc warns of SIZE_MAX */
		copy = malloc(n + !n);
	if (!copy)
		abort();
	if (n)
		memcpy(copy, bytes, n);
	return copy;
}

#endif
