/* SPDX-License-Identifier: MIT */
/* BitTorrent: the handshake of peers (BEP 3), the same over uTP (BEP 29), and queries and responses
 * of the distributed table (BEP 5).  Also connections to trackers over UDP (BEP 15), and local
 * discovery (BEP 14).  Pure. */
#include "base/cursor.h"
#include "inspect/datagrams.h"
#include "inspect/lines.h"
#include "inspect/readers.h"

#define HANDSHAKE                                                                                  \
	"\x13"                                                                                     \
	"BitTorrent protocol"
#define HANDSHAKE_BYTES 20u
#define UTP_HEADER 20u
#define UTP_ENOUGH 3u /* datagrams in agreement behind a SYN, if no handshake is seen */
#define UTP_MIDWAY 6u /* the same without a SYN */
#define UTP_STEP 64u  /* between the numbers of two datagrams */
#define UTP_TIME 10000000u
#define DEPTH_MOST 16u
#define DICTIONARY 2u /* states of a level: a list, or a dictionary before a key or a value */
#define LIST 1u
#define VALUE 3u

/* Takes a text of bencoding, "4:spam". */
static struct bpei_text_line take_bencoded_text(struct bpei_cursor *c)
{
	uint32_t n = 0;
	uint32_t digits = 0;
	uint8_t byte = bpei_cursor_u8(c);

	for (; byte >= '0' && byte <= '9' && digits < 5; digits++) {
		n = n * 10 + (byte - '0');
		byte = bpei_cursor_u8(c);
	}
	if (byte != ':' || !digits)
		c->bad = true;
	const uint8_t *const text = bpei_cursor_take(c, n);
	return (struct bpei_text_line){ text, text ? n : 0, 0 };
}

/* Takes a number of bencoding, "i-3e". */
static void take_bencoded_number(struct bpei_cursor *c)
{
	uint8_t byte;

	bpei_cursor_u8(c);
	do
		byte = bpei_cursor_u8(c);
	while ((byte >= '0' && byte <= '9') || byte == '-');
	c->bad = c->bad || byte != 'e';
}

/* Walks a dictionary of bencoding up to its end; *kind: the text of the key "y" at the top. */
static bool walk_bencoded(struct bpei_cursor *c, uint8_t *kind)
{
	uint8_t levels[DEPTH_MOST];
	uint32_t depth = 0;
	bool at_kind = false;

	do {
		const uint8_t byte = bpei_cursor_left(c) ? *c->next : 0;
		uint8_t *const level = depth ? &levels[depth - 1] : NULL;

		if (byte == 'e' && level && *level != VALUE) {
			bpei_cursor_u8(c);
			depth--;
		} else if (level && *level == DICTIONARY) {
			const struct bpei_text_line key = take_bencoded_text(c);

			at_kind = depth == 1 && key.n == 1 && *key.text == 'y';
			*level = VALUE;
			continue;
		} else if (byte == 'd' || byte == 'l') {
			if (depth == DEPTH_MOST || (!depth && byte == 'l'))
				return false;
			bpei_cursor_u8(c);
			if (level && *level == VALUE)
				*level = DICTIONARY;
			levels[depth++] = byte == 'd' ? DICTIONARY : LIST;
			continue;
		} else if (!level) {
			return false;
		} else if (byte == 'i') {
			take_bencoded_number(c);
		} else {
			const struct bpei_text_line text = take_bencoded_text(c);

			if (at_kind && text.n == 1)
				*kind = *text.text;
		}
		if (level && *level == VALUE)
			*level = DICTIONARY;
	} while (depth && !c->bad);
	return !c->bad && !bpei_cursor_left(c);
}

/* Returns whether the datagram is a message of the distributed table: a dictionary with "y" of q, r
 * or e, and the key of that kind at the start. */
static bool check_dht_message(const uint8_t *p, uint32_t n)
{
	struct bpei_cursor c = bpei_cursor_init(p, n);
	uint8_t kind = 0;

	if (n < 20 || p[0] != 'd' || p[1] < '1' || p[1] > '9' || p[2] != ':')
		return false;
	return walk_bencoded(&c, &kind) && (kind == 'q' || kind == 'r' || kind == 'e');
}

/* The fields of a header of uTP. */
struct utp_packet {
	uint8_t type;
	uint16_t connection, number, acked;
	uint32_t time_us;
	const uint8_t *data;
	uint32_t n;
};

/* Reads a header of uTP with extensions.  Returns whether the values are possible. */
static bool read_utp_packet(const uint8_t *p, uint32_t n, struct utp_packet *packet)
{
	uint32_t at = UTP_HEADER;

	if (n < UTP_HEADER || (p[0] & 15) != 1 || p[0] >> 4 > 4 || p[1] > 3 || p[12])
		return false; /* p[12]: a window of 16 MiB or more */
	for (uint8_t next = p[1]; next;) {
		if (n < at + 2 || n < at + 2 + p[at + 1] || p[at] > 3 || p[at + 1] < 4)
			return false;
		next = p[at];
		at += 2 + p[at + 1];
	}
	packet->type = p[0] >> 4;
	packet->connection = bpei_be16(p + 2);
	packet->time_us = bpei_be32(p + 4);
	packet->number = bpei_be16(p + 16);
	packet->acked = bpei_be16(p + 18);
	packet->data = p + at;
	packet->n = n - at;
	const bool data = packet->type == 0;
	return data ? packet->n > 0 : packet->n == 0;
}

/* Returns whether two datagrams of uTP can follow each other: of one connection, with near numbers
 * and with times less than 10 seconds apart.  The connection's number grows by 1 behind SYN. */
static bool check_utp_pair(const struct utp_packet *before, const struct utp_packet *after)
{
	const uint16_t step = (uint16_t)(after->number - before->number);
	const uint16_t acked = (uint16_t)(after->acked - before->acked);
	const uint32_t time_us = after->time_us - before->time_us;
	const bool syn = before->type == 4 && after->type != 4;

	if (after->connection != (uint16_t)(before->connection + syn) || step > UTP_STEP)
		return false;
	return (syn || acked <= UTP_STEP) && time_us > 0 && time_us < UTP_TIME;
}

/* Reads datagrams of uTP: a handshake of peers, or several datagrams in agreement. */
static enum bpei_verdict read_utp(struct bpei_stream *s, bool known)
{
	struct utp_packet before = { 0 };
	uint32_t enough = UTP_MIDWAY;

	for (uint32_t k = 0; k < s->datagrams; k++) {
		struct utp_packet packet;
		uint32_t n;
		const uint8_t *const p = bpei_datagram(s, k, &n);

		if (!read_utp_packet(p, n, &packet))
			return BPEI_NOT;
		if (packet.type == 4)
			enough = UTP_ENOUGH;
		if (k && !check_utp_pair(&before, &packet))
			return BPEI_NOT;
		if (packet.n >= HANDSHAKE_BYTES &&
			memcmp(packet.data, HANDSHAKE, HANDSHAKE_BYTES) == 0)
			return BPEI_DONE;
		before = packet;
	}
	if (known || s->datagrams >= enough)
		return BPEI_DONE;
	return bpei_datagrams_more(s, s->datagrams + 1);
}

/* Returns whether the datagram is a request to connect to a tracker, of a fixed number and an
 * action of 0. */
static bool check_tracker_request(const uint8_t *p, uint32_t n)
{
	return n == 16 && bpei_be64(p) == 0x41727101980u && bpei_be32(p + 8) == 0;
}

/* Reads datagrams. */
static enum bpei_verdict read_bittorrent_udp(struct bpei_stream *s, struct bpe_flow_names *said)
{
	uint32_t n;
	const uint8_t *const p = bpei_datagram(s, 0, &n);
	enum bpei_verdict verdict = BPEI_NOT;

	if (n >= UTP_HEADER && (p[0] & 15) == 1)
		verdict = read_utp(s, said->app == BPE_APP_BITTORRENT);
	else if (check_dht_message(p, n) || check_tracker_request(p, n) ||
		 (n > 30 && memcmp(p, "BT-SEARCH * HTTP/1.1\r\n", 22) == 0))
		verdict = BPEI_DONE;
	if (verdict == BPEI_DONE)
		said->app = BPE_APP_BITTORRENT;
	return verdict;
}

enum bpei_verdict bpei_read_bittorrent(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	(void)in;
	if (!s->n)
		return BPEI_NOT;
	if (s->datagrams)
		return read_bittorrent_udp(s, said);
	const enum bpei_match match = bpei_stream_match(s, 0, HANDSHAKE, HANDSHAKE_BYTES);
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, HANDSHAKE_BYTES);
	if (match != BPEI_MATCH_YES)
		return BPEI_NOT;
	said->app = BPE_APP_BITTORRENT;
	return BPEI_DONE;
}
