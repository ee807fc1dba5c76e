/* SPDX-License-Identifier: MIT */
/* Copies structures between a program and the library, by the smaller of their sizes.  Pure. */
#include "base/sized.h"

#include "base/error.h"

#include <string.h>

#define SIZE_MOST 65536u /* a larger struct_size was never set */

void bpei_sized_give(void *to, size_t to_bytes, const void *from, size_t from_bytes)
{
	const size_t n = to_bytes < from_bytes ? to_bytes : from_bytes;

	if (n)
		memcpy(to, from, n);
	if (to_bytes > n)
		memset((char *)to + n, 0, to_bytes - n);
}

bool bpei_sized_is_known(const void *from, size_t from_bytes, size_t own_bytes)
{
	for (size_t i = own_bytes; i < from_bytes; i++)
		if (((const char *)from)[i])
			return false;
	return true;
}

int bpei_sized_take(
	void *to, size_t to_bytes, const void *from, const char *init, struct bpe_error *error)
{
	const uint32_t own = (uint32_t)to_bytes;
	uint32_t given;

	memcpy(&given, from, sizeof given);
	if (given < sizeof given || given > SIZE_MOST)
		return bpei_fail(error, BPE_E_ARGUMENT, "options", 0,
			"struct_size is %u: begin with %s", given, init);
	for (size_t i = to_bytes; i < given; i++)
		if (((const char *)from)[i])
			return bpei_fail(error, BPE_E_UNSUPPORTED, "options", 0,
				"made with a newer header, byte %zu is set, and library " BPE_VERSION
				" has no such member: use the newer library, or leave the member",
				i);
	memcpy(to, from, given < own ? given : own);
	memcpy(to, &own, sizeof own);
	return BPE_OK;
}

void bpei_flow_give(void *to, size_t to_bytes, const struct bpe_flow *from)
{
	const size_t n = to_bytes < from->size ? to_bytes : from->size;
	const uint16_t size = (uint16_t)n;

	bpei_sized_give(to, to_bytes, from, from->size);
	if (n >= offsetof(struct bpe_flow, size) + sizeof size)
		memcpy((char *)to + offsetof(struct bpe_flow, size), &size, sizeof size);
}

const struct bpe_flow *bpei_flow_whole(const struct bpe_flow *flow, struct bpe_flow *room)
{
	if (flow->size >= sizeof *flow)
		return flow;
	if (flow->size < offsetof(struct bpe_flow, interface_index))
		return NULL;
	*room = (struct bpe_flow){ .pid = -1,
		.effective_pid = -1,
		.handshake_ns = { -1, -1 },
		.rtt_ns = { -1, -1 },
		.window_scale = { -1, -1 } };
	memcpy(room, flow, flow->size);
	room->size = sizeof *room;
	return room;
}
