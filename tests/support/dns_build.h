/* SPDX-License-Identifier: MIT */
/* DNS messages for tests, put together piece by piece. */
#ifndef DNS_BUILD_H
#define DNS_BUILD_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct dns_build {
	uint8_t bytes[4096];
	uint32_t n;
	uint32_t length_at; /* of the record at hand */
};

static inline void build_bytes(struct dns_build *b, const void *bytes, uint32_t n)
{
	if (n > sizeof b->bytes - b->n)
		abort();
	memcpy(b->bytes + b->n, bytes, n);
	b->n += n;
}
static inline void build_u16(struct dns_build *b, uint32_t v)
{
	uint8_t bytes[2];

	bpei_put_be16(bytes, (uint16_t)v);
	build_bytes(b, bytes, 2);
}
static inline void build_u32(struct dns_build *b, uint32_t v)
{
	build_u16(b, v >> 16);
	build_u16(b, v & 0xffff);
}

/* Begins a message with the header; the counts are of questions, answers, authorities and
 * additional records. */
static inline void build_header(struct dns_build *b, uint32_t id, uint32_t flags,
	uint32_t questions, uint32_t answers, uint32_t others)
{
	b->n = 0;
	build_u16(b, id);
	build_u16(b, flags);
	build_u16(b, questions);
	build_u16(b, answers);
	build_u16(b, 0);
	build_u16(b, others);
}

/* Adds the labels of a name by dots; "" is the root.  With `end`, the final 0. */
static inline void build_labels(struct dns_build *b, const char *name, bool end)
{
	while (*name) {
		const char *dot = strchr(name, '.');
		const uint8_t length = (uint8_t)(dot ? (size_t)(dot - name) : strlen(name));

		build_bytes(b, &length, 1);
		build_bytes(b, name, length);
		name += length;
		if (*name == '.')
			name++;
	}
	if (end)
		build_bytes(b, "", 1);
}
static inline void build_name(struct dns_build *b, const char *name)
{
	build_labels(b, name, true);
}
static inline void build_pointer(struct dns_build *b, uint32_t to)
{
	build_u16(b, 0xc000u | to);
}
static inline void build_question(
	struct dns_build *b, const char *name, uint32_t type, uint32_t class_)
{
	build_name(b, name);
	build_u16(b, type);
	build_u16(b, class_);
}

/* Begins a record behind the name; build_record_end sets the length of the RDATA. */
static inline void build_record(struct dns_build *b, uint32_t type, uint32_t class_, uint32_t ttl)
{
	build_u16(b, type);
	build_u16(b, class_);
	build_u32(b, ttl);
	b->length_at = b->n;
	build_u16(b, 0);
}
static inline void build_record_end(struct dns_build *b)
{
	bpei_put_be16(b->bytes + b->length_at, (uint16_t)(b->n - b->length_at - 2));
}

/* Adds a record with RDATA of n bytes, of a name. */
static inline void build_data(struct dns_build *b, const char *name, uint32_t type, uint32_t ttl,
	const void *data, uint32_t n)
{
	build_name(b, name);
	build_record(b, type, 1, ttl);
	build_bytes(b, data, n);
	build_record_end(b);
}
static inline void build_a(struct dns_build *b, const char *name, uint32_t ttl, uint32_t address)
{
	uint8_t bytes[4];

	bpei_store32(bytes, 0);
	for (uint32_t i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(address >> (24 - 8 * i));
	build_data(b, name, 1, ttl, bytes, 4);
}
static inline void build_cname(
	struct dns_build *b, const char *name, uint32_t ttl, const char *target)
{
	build_name(b, name);
	build_record(b, 5, 1, ttl);
	build_name(b, target);
	build_record_end(b);
}

#endif
