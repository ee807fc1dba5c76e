/* SPDX-License-Identifier: MIT */
/* SSH (RFC 4253): the version string (4.2), and HASSH, the MD5 of the lists of the first key
 * exchange (7.1; HASSH is of Salesforce, github.com/salesforce/hassh).  The lists of a client and
 * of a server are joined differently.  The message behind the lists tells which end is the client,
 * since the originator of a connection can be the server of SSH.  Pure. */
#include "base/cursor.h"
#include "base/md5.h"
#include "inspect/lines.h"
#include "inspect/readers.h"

#define VERSION_MOST 255u  /* bytes of a version string with its end */
#define PACKET_MOST 35000u /* bytes of a packet (6.1) */
#define PACKETS_MOST 4u    /* packets before the lists */
#define LISTS 10u          /* name-lists of a key exchange */
#define KEXINIT 20u        /* types of messages */
#define IGNORE 2u
#define DEBUG 4u

/* A packet before encryption. */
struct ssh_packet {
	const uint8_t *payload;
	uint32_t n;
	uint32_t end; /* place in the stream */
};

/* Takes the packet at `at`.  SHORT: s->want is set. */
static enum bpei_match take_ssh_packet(
	struct bpei_stream *s, uint32_t at, struct ssh_packet *packet)
{
	const uint8_t *const p = s->bytes + at;
	const uint32_t left = s->n - at;

	s->want = at + 6;
	if (left < 6)
		return left && p[0] ? BPEI_MATCH_NO : BPEI_MATCH_SHORT;
	const uint32_t length = bpei_be32(p);
	if (length < 12 || length > PACKET_MOST || p[4] < 4 || p[4] + 2u > length)
		return BPEI_MATCH_NO;
	packet->payload = p + 5;
	packet->n = length - p[4] - 1;
	packet->end = at + 4 + length;
	s->want = packet->end;
	return left >= 4 + length ? BPEI_MATCH_YES : BPEI_MATCH_SHORT;
}

/* Adds list `k` and a separator to the hash. */
static void add_ssh_list(struct bpei_md5 *hash, const struct bpei_text_line list[LISTS], uint32_t k)
{
	bpei_md5_add(hash, list[k].text, list[k].n);
}

/* Writes the fingerprint of the lists, as a client (0) or a server (1) has it. */
static void say_hassh(
	const struct bpei_text_line list[LISTS], uint32_t server, char text[BPEI_MD5_TEXT])
{
	struct bpei_md5 hash;

	bpei_md5_init(&hash);
	add_ssh_list(&hash, list, 0);
	for (uint32_t k = 2 + server; k < 8; k += 2) {
		bpei_md5_add(&hash, ";", 1);
		add_ssh_list(&hash, list, k);
	}
	bpei_md5_text(&hash, text);
}

/* Reads the lists of a key exchange.  Returns whether they are whole and their bytes are text. */
static bool read_ssh_lists(const struct ssh_packet *packet, struct bpei_text_line list[LISTS])
{
	struct bpei_cursor c = bpei_cursor_init(packet->payload, packet->n);

	bpei_cursor_take(&c, 17); /* type and cookie */
	for (uint32_t k = 0; k < LISTS; k++) {
		list[k].n = bpei_cursor_u32(&c, true);
		list[k].text = bpei_cursor_take(&c, list[k].n);
		for (uint32_t i = 0; list[k].text && i < list[k].n; i++)
			if (list[k].text[i] <= ' ' || list[k].text[i] >= 0x7f)
				return false;
	}
	bpei_cursor_take(&c, 5); /* first_kex_packet_follows, reserved */
	return !c.bad && list[0].n;
}

/* Tells by the message behind the lists which end of SSH sends: the client's messages are
 * KEXDH_INIT, GEX_REQUEST and GEX_INIT, the server's KEXDH_REPLY (or GEX_GROUP) and GEX_REPLY
 * (RFC 4253 8, RFC 4419 5, RFC 5656 4).  SHORT: no message yet. */
static enum bpei_match find_ssh_role(const struct bpei_stream *s, uint32_t at, uint32_t *server)
{
	if (s->n - at < 6)
		return BPEI_MATCH_SHORT;
	switch (s->bytes[at + 5]) {
	case 30:
	case 32:
	case 34:
		*server = 0;
		return BPEI_MATCH_YES;
	case 31:
	case 33:
		*server = 1;
		return BPEI_MATCH_YES;
	default:
		return BPEI_MATCH_NO;
	}
}

/* Reads the packets behind the version string. */
static enum bpei_verdict read_ssh_kex(
	struct bpei_stream *s, uint32_t at, struct bpe_flow_names *said)
{
	struct ssh_packet packet = { NULL, 0, at };
	struct bpei_text_line list[LISTS];
	uint32_t server = s->end & 1;
	enum bpei_match match = BPEI_MATCH_NO;

	for (uint32_t k = 0; k < PACKETS_MOST; k++) {
		match = take_ssh_packet(s, packet.end, &packet);
		if (match != BPEI_MATCH_YES)
			break;
		if (packet.payload[0] != IGNORE && packet.payload[0] != DEBUG)
			break;
	}
	if (match == BPEI_MATCH_SHORT)
		return bpei_stream_over(s) ? BPEI_DONE : BPEI_MORE;
	if (match == BPEI_MATCH_NO || packet.payload[0] != KEXINIT ||
		!read_ssh_lists(&packet, list))
		return BPEI_DONE;
	if (find_ssh_role(s, packet.end, &server) == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, packet.end + 6);
	say_hassh(list, server, said->hassh[server]);
	return BPEI_DONE;
}

/* Returns whether the line is a version string: "SSH-", a protocol version, "-" and a software
 * version. */
static bool check_ssh_version(const struct bpei_text_line *line)
{
	const uint8_t *const p = line->text;

	return line->n >= 9 && (p[4] == '1' || p[4] == '2') && p[5] == '.' && p[6] >= '0' &&
	       p[6] <= '9' && (p[7] == '-' || (p[7] >= '0' && p[7] <= '9' && p[8] == '-'));
}

enum bpei_verdict bpei_read_ssh(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line;
	enum bpei_match match = bpei_stream_match(s, 0, "SSH-", 4);

	if (match == BPEI_MATCH_YES)
		match = bpei_line_find(s, 0, VERSION_MOST, &line);
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES || !check_ssh_version(&line))
		return BPEI_NOT;
	said->app = BPE_APP_SSH;
	if (!(in->names & BPE_NAMES_SSH))
		return BPEI_DONE;
	bpei_said_text(said->banner[s->end & 1], sizeof said->banner[0], line.text, line.n);
	if (line.text[4] == '1' && line.text[6] != '9') /* RFC 4253 5: 1.99 is 2.0 */
		return BPEI_DONE;
	return read_ssh_kex(s, line.next, said);
}
