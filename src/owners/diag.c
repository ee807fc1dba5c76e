/* SPDX-License-Identifier: MIT */
/* Requests and answers of sock_diag(7) (diag.h).  Numbers are the host's, except for addresses and
 * ports. */
#include "owners/diag.h"

#include "base/bytes.h"

#include <string.h>

/* struct nlmsghdr: length, type, flags, sequence, sender. */
enum { HEAD = 16, AT_TYPE = 4, AT_FLAGS = 6, AT_SEQUENCE = 8 };
enum { TYPE_ERROR = 2, TYPE_BY_FAMILY = 20, FLAG_REQUEST = 1 };
/* struct inet_diag_req_v2 behind the head; the ends begin with both ports. */
enum { REQUEST_STATES = HEAD + 4, REQUEST_ENDS = HEAD + 8 };
enum { ENDS_FROM = 4, ENDS_TO = 20, ENDS_INTERFACE = 36, ENDS_COOKIE = 40 };
/* struct inet_diag_msg behind the head. */
enum {
	ANSWER_STATE = HEAD + 1,
	ANSWER_ENDS = HEAD + 4,
	ANSWER_UID = HEAD + 64,
	ANSWER_INODE = HEAD + 68,
	ANSWER = HEAD + 72
};
enum { FAMILY_4 = 2, FAMILY_6 = 10 }; /* AF_INET, AF_INET6 of Linux */

void bpei_diag_write(
	uint8_t to[BPEI_DIAG_REQUEST], const struct bpei_diag_ends *ends, uint32_t sequence)
{
	const bool is_6 = ends->ip_version == 6;
	const size_t bytes = is_6 ? 16 : 4;
	uint8_t *const at = to + REQUEST_ENDS;

	memset(to, 0, BPEI_DIAG_REQUEST);
	bpei_store32(to, BPEI_DIAG_REQUEST);
	bpei_store16(to + AT_TYPE, TYPE_BY_FAMILY);
	bpei_store16(to + AT_FLAGS, FLAG_REQUEST);
	bpei_store32(to + AT_SEQUENCE, sequence);
	to[HEAD] = is_6 ? FAMILY_6 : FAMILY_4;
	to[HEAD + 1] = ends->ip_proto;
	bpei_store32(to + REQUEST_STATES, UINT32_MAX);
	bpei_put_be16(at, ends->port[0]);
	bpei_put_be16(at + 2, ends->port[1]);
	memcpy(at + ENDS_FROM, ends->addr[0], bytes);
	memcpy(at + ENDS_TO, ends->addr[1], bytes);
	bpei_store32(at + ENDS_INTERFACE, ends->interface_index);
	memset(at + ENDS_COOKIE, 0xff, 8); /* any */
}

enum bpei_diag_answer bpei_diag_read(
	const uint8_t *from, size_t n, uint32_t sequence, struct bpei_diag_socket *socket)
{
	if (n < HEAD || bpei_load32(from) < HEAD || bpei_load32(from) > n)
		return BPEI_DIAG_OTHER;
	if (bpei_load32(from + AT_SEQUENCE) != sequence)
		return BPEI_DIAG_OTHER;
	const uint16_t type = bpei_load16(from + AT_TYPE);

	if (type == TYPE_ERROR)
		return BPEI_DIAG_MISSING;
	if (type != TYPE_BY_FAMILY || bpei_load32(from) < ANSWER)
		return BPEI_DIAG_OTHER;
	*socket = (struct bpei_diag_socket){ .inode = bpei_load32(from + ANSWER_INODE),
		.uid = bpei_load32(from + ANSWER_UID),
		.local_port = bpei_be16(from + ANSWER_ENDS),
		.remote_port = bpei_be16(from + ANSWER_ENDS + 2),
		.state = from[ANSWER_STATE] };
	return BPEI_DIAG_FOUND;
}
