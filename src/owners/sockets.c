/* SPDX-License-Identifier: MIT */
/* The list of sockets, and the search for a flow's (sockets.h).  Pure. */
#include "owners/sockets.h"

#include <stdlib.h>
#include <string.h>

struct bpei_socket *bpei_sockets_add(struct bpei_sockets *s)
{
	if (s->count == s->room) {
		const size_t room = s->room ? 2 * s->room : 256;
		struct bpei_socket *more = realloc(s->of, room * sizeof *more);

		if (!more)
			return NULL;
		s->of = more;
		s->room = room;
	}
	struct bpei_socket *to = &s->of[s->count++];

	memset(to, 0, sizeof *to);
	return to;
}

void bpei_sockets_free(struct bpei_sockets *s)
{
	free(s->of);
	*s = (struct bpei_sockets){ .count = 0 };
}

static bool is_address_zero(const uint8_t addr[16])
{
	static const uint8_t zero[16] = { 0 };

	return !memcmp(addr, zero, sizeof zero);
}

/* Returns how well a socket fits: 0 not, 1 bound to no address, 2 bound, 3 connected. */
static int rate_socket(
	const struct bpei_socket *s, const struct bpe_owner_question *q, uint32_t end)
{
	const uint8_t version = q->ip_version == 6 ? BPEI_SOCKET_6 : BPEI_SOCKET_4;
	const size_t bytes = q->ip_version == 6 ? 16 : 4;
	const bool is_anywhere = is_address_zero(s->local);

	if (s->ip_proto != q->ip_proto || s->local_port != q->port[end] || !(s->versions & version))
		return 0;
	if (!is_anywhere && memcmp(s->local, q->addr[end], bytes) != 0)
		return 0;
	if (!s->remote_port)
		return is_anywhere ? 1 : 2;
	if (s->remote_port != q->port[!end] || memcmp(s->remote, q->addr[!end], bytes) != 0)
		return 0;
	return 3;
}

const struct bpei_socket *bpei_sockets_find(
	const struct bpei_sockets *s, const struct bpe_owner_question *q, uint32_t end)
{
	const struct bpei_socket *best = NULL;
	int most = 0;

	for (size_t k = 0; k < s->count; k++) {
		const int rate = rate_socket(&s->of[k], q, end);

		if (rate > most || (rate && rate == most && !best->pid)) {
			most = rate;
			best = &s->of[k];
		}
	}
	return best;
}
