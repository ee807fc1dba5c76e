/* SPDX-License-Identifier: MIT */
/* Records of FreeBSD's lists (lists.h).  Each record begins with 8 bytes for the length. */
#include "owners/lists.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

/* Returns the length of the record at a place; 0: no whole record is there. */
static size_t measure_listed(const uint8_t *bytes, size_t n, size_t at)
{
	if (n - at < sizeof(uint64_t))
		return 0;
	const uint64_t length = bpei_load64(bytes + at);

	return length >= sizeof length && length <= n - at ? (size_t)length : 0;
}

/* Copies an address of 16 bytes; FreeBSD writes IPv4 to the last 4. */
static void copy_listed_address(uint8_t to[16], const uint8_t *from, bool is_4)
{
	if (is_4)
		memcpy(to, from + 12, 4);
	else
		memcpy(to, from, 16);
}

/* Adds the socket of a record.  Returns false without memory. */
static bool add_pcb(struct bpei_sockets *sockets, const uint8_t *r, const struct bpei_pcb_layout *l,
	uint8_t ip_proto)
{
	struct bpei_socket *s = bpei_sockets_add(sockets);
	const uint8_t versions = r[l->versions] & (BPEI_SOCKET_4 | BPEI_SOCKET_6);
	const bool is_4 = versions == BPEI_SOCKET_4;

	if (!s)
		return false;
	s->handle = bpei_load64(r + l->handle);
	s->local_port = bpei_be16(r + l->local_port);
	s->remote_port = bpei_be16(r + l->remote_port);
	s->ip_proto = ip_proto;
	s->versions = versions;
	copy_listed_address(s->local, r + l->local, is_4);
	copy_listed_address(s->remote, r + l->remote, is_4);
	return true;
}

bool bpei_pcbs_read(struct bpei_sockets *sockets, const uint8_t *bytes, size_t n,
	const struct bpei_pcb_layout *l, uint8_t ip_proto)
{
	size_t at = measure_listed(bytes, n, 0); /* the generation */

	if (!at)
		return false;
	while (at < n) {
		const size_t length = measure_listed(bytes, n, at);

		if (!length)
			return false;
		if (length <= l->generation_bytes)
			return true; /* the last record */
		if (length < l->bytes || !add_pcb(sockets, bytes + at, l, ip_proto))
			return false;
		at += length;
	}
	return true;
}

static int compare_handles(const void *a, const void *b)
{
	const struct bpei_socket *x = a;
	const struct bpei_socket *y = b;

	if (x->handle == y->handle)
		return 0;
	return x->handle < y->handle ? -1 : 1;
}

bool bpei_files_read(struct bpei_sockets *sockets, const uint8_t *bytes, size_t n,
	const struct bpei_file_layout *l)
{
	if (sockets->count)
		qsort(sockets->of, sockets->count, sizeof *sockets->of, compare_handles);
	for (size_t at = 0; at < n;) {
		const size_t length = measure_listed(bytes, n, at);
		const uint8_t *r = bytes + at;

		if (length < l->bytes || !length)
			return false;
		at += length;
		if (bpei_load16(r + l->type) != l->socket_type || !sockets->count)
			continue;
		const struct bpei_socket key = { .handle = bpei_load64(r + l->handle) };
		struct bpei_socket *s = bsearch(
			&key, sockets->of, sockets->count, sizeof *sockets->of, compare_handles);

		if (!s || !key.handle)
			continue;
		s->pid = (int32_t)bpei_load32(r + l->pid);
		s->uid = bpei_load32(r + l->uid);
	}
	return true;
}
