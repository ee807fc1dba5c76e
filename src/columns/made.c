/* SPDX-License-Identifier: MIT */
/* Texts of columns that have to be made: addresses, states and codes.  Each function writes to
 * `room` and returns the length; 0: unknown. */
#include "columns/columns.h"
#include "names/names.h"

#include <string.h>

/* Writes an address of IPv4.  A part is copied with its point, and the last point is left out. */
static size_t make_address4(const struct bpei_columns_recent *r, const uint8_t *addr, char *room)
{
	size_t n = 0;

	for (int k = 0; k < 4; k++) {
		memcpy(room + n, r->octets[addr[k]].text, 4);
		n += r->octets[addr[k]].length;
	}
	return n - 1;
}

/* Writes a part of an address of IPv6 as RFC 5952 wants: lower case, no zeros in front. */
static char *write_part6(char *to, uint32_t part)
{
	int shift = 12;

	while (shift && !(part >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[part >> shift & 15];
	return to;
}

/* Finds the first of the longest runs of parts that are 0, at least two.  Returns the length, and
 * where the run begins. */
static int find_zeros6(const uint32_t parts[8], int *begin)
{
	int longest = 1;
	int run = 0;

	for (int k = 0; k < 8; k++) {
		run = parts[k] ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			*begin = k + 1 - run;
		}
	}
	return longest > 1 ? longest : 0;
}

/* Writes an address of IPv6 with a part other than 0 among the first five. */
static size_t write_address6(const uint8_t *addr, char *room)
{
	uint32_t parts[8];
	int begin = 8;
	char *to = room;

	for (int k = 0; k < 8; k++)
		parts[k] = (uint32_t)addr[2 * k] << 8 | addr[2 * k + 1];
	const int zeros = find_zeros6(parts, &begin);

	for (int k = 0; k < 8; k++) {
		if (k == begin) {
			*to++ = ':';
			k += zeros - 1;
			if (k == 7)
				*to++ = ':';
			continue;
		}
		if (k)
			*to++ = ':';
		to = write_part6(to, parts[k]);
	}
	return (size_t)(to - room);
}

/* Writes an address of IPv6.  Records name the same hosts again and again: texts are kept.  The
 * system's function writes the few that may have a part in IPv4's form. */
static size_t make_address6(struct bpei_columns_recent *r, const uint8_t *addr, char *room)
{
	uint64_t half[2];

	memcpy(half, addr, sizeof half);
	const uint64_t mixed = (half[0] ^ half[1] << 1) * UINT64_C(0x9e3779b97f4a7c15);
	const size_t k = mixed >> 56;

	if (!r->addresses[k].length || memcmp(r->addresses[k].addr, addr, 16)) {
		const bool has_ipv4 = !half[0] && !addr[8] && !addr[9];
		const int n = has_ipv4 ? bpe_address_text(addr, 6, r->addresses[k].text,
						 sizeof r->addresses[k].text)
				       : (int)write_address6(addr, r->addresses[k].text);

		memcpy(r->addresses[k].addr, addr, 16);
		r->addresses[k].length = (uint8_t)(n > 0 ? n : 0);
	}
	memcpy(room, r->addresses[k].text, sizeof r->addresses[k].text);
	return r->addresses[k].length;
}

/* Writes an address of either version, as CSV does. */
static size_t make_address(
	struct bpei_columns_recent *r, const uint8_t *addr, uint8_t version, char *room)
{
	return version == 6 ? make_address6(r, addr, room) : make_address4(r, addr, room);
}

/* Writes a text of the library's own; NULL: the number, as 0x1399 with `digits` digits. */
static size_t make_code(const char *name, uint32_t number, int digits, char *room)
{
	if (name) {
		const size_t n = strnlen(name, BPEI_MADE_BYTES);

		memcpy(room, name, n);
		return n;
	}
	room[0] = '0';
	room[1] = 'x';
	for (int i = 0; i < digits; i++)
		room[2 + i] = "0123456789abcdef"[number >> 4 * (digits - 1 - i) & 15];
	return 2 + (size_t)digits;
}

size_t bpei_make_src(struct bpei_columns_recent *r, const struct bpe_flow *f, char *room)
{
	return make_address(r, f->addr[0], f->ip_version, room);
}

size_t bpei_make_dst(struct bpei_columns_recent *r, const struct bpe_flow *f, char *room)
{
	return make_address(r, f->addr[1], f->ip_version, room);
}

size_t bpei_make_tunnel_src(struct bpei_columns_recent *r, const struct bpe_flow *f, char *room)
{
	return make_address(r, f->tunnel.addr[0], f->tunnel.ip_version, room);
}

size_t bpei_make_tunnel_dst(struct bpei_columns_recent *r, const struct bpe_flow *f, char *room)
{
	return make_address(r, f->tunnel.addr[1], f->tunnel.ip_version, room);
}

size_t bpei_make_conn_state(struct bpei_columns_recent *r, const struct bpe_flow *f, char *room)
{
	(void)r;
	return make_code(bpe_flow_conn_state(f), 0, 0, room);
}

size_t bpei_make_tls_version(struct bpei_columns_recent *r, const struct bpe_flow *f, char *room)
{
	const uint16_t version = f->names.tls_version;

	(void)r;
	return make_code(bpei_tls_version_name(version), version, 4, room);
}

size_t bpei_make_tls_cipher(struct bpei_columns_recent *r, const struct bpe_flow *f, char *room)
{
	const uint16_t cipher = f->names.tls_cipher;

	(void)r;
	return make_code(bpei_tls_cipher_name(cipher), cipher, 4, room);
}

size_t bpei_make_quic_version(struct bpei_columns_recent *r, const struct bpe_flow *f, char *room)
{
	const uint32_t version = f->names.quic_version;

	(void)r;
	return make_code(bpei_quic_version_name(version), version, 8, room);
}
