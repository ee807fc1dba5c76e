/* SPDX-License-Identifier: MIT */
/* Adds records to columns: texts at once, numbers and words in blocks of 64 rows. */
#include "base/error.h"
#include "base/sized.h"
#include "base/utf8.h"
#include "columns/columns.h"

#include <string.h>

/* Copies the parts of a record that hold numbers. */
static void stage_numbers(struct bpei_staged *s, const struct bpe_flow *f)
{
	const uint8_t *from = (const uint8_t *)f;
	uint8_t *to = s->bytes;

	memcpy(to, from, BPEI_STAGED_HEAD);
	to += BPEI_STAGED_HEAD;
	memcpy(to, from + BPEI_STAGED_PIDS, BPEI_STAGED_TEXTS - BPEI_STAGED_PIDS);
	to += BPEI_STAGED_TEXTS - BPEI_STAGED_PIDS;
	memcpy(to, from + BPEI_STAGED_TAIL, BPEI_STAGED_END - BPEI_STAGED_TAIL);
}

#define KNOWN(group, condition) ((uint64_t)(condition) << BPEI_KNOWN_##group)

/* Returns the known values of the names. */
static uint64_t known_names(const struct bpe_flow_names *n)
{
	const bool is_dns = n->source == BPE_NAME_DNS || n->source == BPE_NAME_MDNS;

	return KNOWN(OTHERS_COUNT, n->others_count != 0) | KNOWN(NAME_AGE, is_dns) |
	       KNOWN(NAME_TTL, is_dns && n->ttl_ns) | KNOWN(TLS_VERSION, n->tls_version != 0) |
	       KNOWN(TLS_CIPHER, n->tls_cipher != 0) | KNOWN(QUIC_VERSION, n->quic_version != 0) |
	       KNOWN(HTTP_STATUS, n->http_status != 0) |
	       KNOWN(UID, n->owner == BPE_OWNER_KNOWN && n->uid >= 0);
}

/* Returns the known values of the record, as bits of enum bpei_known. */
static uint64_t known_values(const struct bpe_flow *f)
{
	const bool tcp = f->tcp_state != 0;
	const bool tunnel = f->tunnel.kind && bpe_tunnel_name(f->tunnel.kind);

	return KNOWN(ALWAYS, 1) | KNOWN(VLAN, f->vlan[0] != 0) |
	       KNOWN(INNER_VLAN, f->vlan[1] != 0) |
	       KNOWN(LENGTHS, (f->flags & BPE_FLOW_LENGTHS) != 0) |
	       KNOWN(ICMP, (f->flags & BPE_FLOW_ICMP) != 0) | KNOWN(TCP, tcp) |
	       KNOWN(HEALTH, (f->flags & BPE_FLOW_HEALTH) != 0) |
	       KNOWN(CLIENT_RTT, f->handshake_ns[0] >= 0) |
	       KNOWN(SERVER_RTT, f->handshake_ns[1] >= 0) |
	       KNOWN(CLIENT_ACK_RTT, f->rtt_ns[0] >= 0) | KNOWN(SERVER_ACK_RTT, f->rtt_ns[1] >= 0) |
	       KNOWN(ORIG_MSS, f->mss[0] != 0) | KNOWN(RESP_MSS, f->mss[1] != 0) |
	       KNOWN(ORIG_SCALE, f->window_scale[0] >= 0) |
	       KNOWN(RESP_SCALE, f->window_scale[1] >= 0) |
	       KNOWN(INTERFACE_INDEX, f->interface_index != 0) |
	       KNOWN(INTERFACE_ID, (f->flags & BPE_FLOW_INTERFACE_ID) != 0) |
	       KNOWN(PID, f->pid > 0) | KNOWN(EFFECTIVE_PID, f->pid > 0 && f->effective_pid > 0) |
	       KNOWN(TUNNEL, tunnel) | KNOWN(TUNNEL_ID, tunnel && f->tunnel.has_id) |
	       KNOWN(TUNNEL_ADDRESS, tunnel && f->tunnel.ip_version) |
	       KNOWN(CUTOFF, (f->flags & BPE_FLOW_CUTOFF) != 0) | known_names(&f->names);
}

/* Fills the numbers of the row's words.  Returns the columns with a word, as bits. */
static uint32_t stage_words(struct bpei_staged *s, const struct bpe_flow *f)
{
	const bool tcp = f->tcp_state != 0;
	const uint32_t ech = f->names.flags & (BPE_NAMED_ECH | BPE_NAMED_OUTER);
	uint16_t *const codes = s->codes;
	uint32_t worded = 0;

	memset(codes, 0, sizeof s->codes);
	codes[BPEI_WORDED_PROTO] =
		(uint16_t)(BPEI_WORDS_PROTO + 256 * (f->ip_version == 4) + f->ip_proto);
	if (tcp) {
		codes[BPEI_WORDED_TCP_STATE] = (uint16_t)(BPEI_WORDS_TCP_STATE + f->tcp_state);
		codes[BPEI_WORDED_ORIG_FLAGS] = (uint16_t)(BPEI_WORDS_TCP_FLAGS + f->tcp_flags[0]);
		codes[BPEI_WORDED_RESP_FLAGS] = (uint16_t)(BPEI_WORDS_TCP_FLAGS + f->tcp_flags[1]);
	}
	if (f->flags & BPE_FLOW_BY_PORT)
		codes[BPEI_WORDED_DIRECTION] = BPEI_WORDS_PORT;
	if (f->end)
		codes[BPEI_WORDED_END] = (uint16_t)(BPEI_WORDS_END + f->end);
	if (f->tunnel.kind)
		codes[BPEI_WORDED_TUNNEL] = (uint16_t)(BPEI_WORDS_TUNNEL + f->tunnel.kind);
	if (f->names.app)
		codes[BPEI_WORDED_APP] = (uint16_t)(BPEI_WORDS_APP + f->names.app);
	if (f->names.source)
		codes[BPEI_WORDED_SOURCE] = (uint16_t)(BPEI_WORDS_SOURCE + f->names.source);
	if (f->names.owner)
		codes[BPEI_WORDED_OWNER] = (uint16_t)(BPEI_WORDS_OWNER + f->names.owner);
	if (ech)
		codes[BPEI_WORDED_ECH] = BPEI_WORDS_OFFERED;
	if (ech & BPE_NAMED_OUTER)
		codes[BPEI_WORDED_ECH] = BPEI_WORDS_OUTER;
	for (uint32_t k = 0; k < BPEI_WORDED_COUNT; k++)
		worded |= (uint32_t)(codes[k] != 0) << k;
	return worded;
}

/* Copies a text as UTF-8.  Other bytes become U+FFFD.  Returns the length. */
static size_t copy_as_utf8(char *to, const char *text, size_t length)
{
	size_t used = 0;

	for (size_t i = 0, n; i < length; i += n ? n : 1) {
		n = bpei_utf8_bytes(text + i, length - i);
		if (n)
			memcpy(to + used, text + i, n);
		else
			memcpy(to + used, "\xef\xbf\xbd", 3);
		used += n ? n : 3;
	}
	return used;
}

static bool is_ascii(const char *text, size_t length)
{
	uint64_t all = 0;
	uint64_t eight;

	for (; length >= sizeof eight; length -= sizeof eight, text += sizeof eight) {
		memcpy(&eight, text, sizeof eight);
		all |= eight;
	}
	for (size_t i = 0; i < length; i++)
		all |= (uint64_t)(uint8_t)text[i] & 0x80;
	return !(all & UINT64_C(0x8080808080808080));
}

/* Appends a text of the row to a column.  Returns false without memory. */
static bool append_text(struct bpe_columns *c, uint32_t i, const char *text, size_t length)
{
	struct bpei_column *const column = &c->columns[i];

	if (!bpei_columns_reserve_text(c, i, length * 3))
		return false;
	if (column->filled < c->rows)
		bpei_column_pad_text(column, c->rows);
	const int32_t at = column->offsets[c->rows];
	char *const to = (char *)column->values + at;
	size_t n = length;

	if (is_ascii(text, length))
		memcpy(to, text, length);
	else
		n = copy_as_utf8(to, text, length);
	column->offsets[c->rows + 1] = at + (int32_t)n;
	column->valid[c->rows / 64] |= bpei_bitmap_word(UINT64_C(1) << c->rows % 64);
	column->filled = c->rows + 1;
	return true;
}

/* Appends the row's value of a column of texts.  Returns false without memory. */
static bool add_row_text(struct bpe_columns *c, uint32_t i, const struct bpe_flow *f)
{
	const struct bpei_column_plan *plan = &bpei_column_plans[i];
	char room[BPEI_MADE_BYTES];

	if (plan->kind == BPEI_COLUMN_MADE) {
		const size_t n = plan->make(&c->recent, f, room);

		return !n || append_text(c, i, room, n);
	}
	const char *const text = (const char *)f + plan->from;

	if (!text[0] && !plan->keeps_empty)
		return true;
	return append_text(c, i, text, strnlen(text, plan->bytes));
}

/* Appends all texts of the row.  Returns false without memory; the columns are as before. */
static bool add_texts(struct bpe_columns *c, const struct bpe_flow *f, uint64_t known)
{
	for (uint32_t k = 0; k < c->texts.count; k++) {
		const uint32_t i = c->texts.of[k];

		if (known >> bpei_column_plans[i].known & 1 && !add_row_text(c, i, f)) {
			for (uint32_t j = 0; j <= k; j++)
				bpei_column_cut_text(&c->columns[c->texts.of[j]], c->rows);
			return false;
		}
	}
	return true;
}

/* Gives memory to the columns of the row's values.  Returns false without memory. */
static bool prepare_row(struct bpe_columns *c, uint64_t known, uint32_t worded)
{
	if (!c->staged && !bpei_columns_reserve(c))
		return false;
	if (known & ~c->groups && !bpei_columns_begin_groups(c, known & ~c->groups))
		return false;
	return !(worded & ~c->worded) || bpei_columns_begin_words(c, worded & ~c->worded);
}

int bpe_columns_add(struct bpe_columns *c, const struct bpe_flow *flow)
{
	struct bpe_flow whole;
	const struct bpe_flow *f = bpei_flow_whole(flow, &whole);

	if (!f || f->version != BPE_FLOW_VERSION)
		return BPE_E_ARGUMENT;
	struct bpei_staged *const s = &c->block[c->staged];
	const uint64_t known = known_values(f);

	if (!prepare_row(c, known, stage_words(s, f)) || !add_texts(c, f, known))
		return BPE_E_MEMORY;
	s->known = known;
	stage_numbers(s, f);
	bpei_columns_stage_community(s, f);
	c->rows++;
	c->staged++;
	if (c->staged < BPEI_COLUMN_BLOCK)
		return BPE_OK;
	bpei_columns_flush(c);
	c->staged = 0;
	return BPE_OK;
}
