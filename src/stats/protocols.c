/* SPDX-License-Identifier: MIT */
/* The protocol table: a line for each protocol seen, over all shares.  Stateless. */
#include "stats/stats.h"

#include "base/sized.h"
#include "names/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns true if packets of a kind are counted by number, in ip_proto or kinds. */
static bool is_counted_by_number(uint32_t proto)
{
	return proto == BPE_PROTO_IP_OTHER || proto == BPE_PROTO_ETHERTYPE ||
	       proto == BPE_PROTO_LINKTYPE;
}

/* A table in the making, with room for all lines. */
struct protocol_lines {
	struct bpe_protocol *line;
	size_t count, room;
};

/* Adds a tally to the line of a name, which is made from format and number. */
static void add_protocol_line(
	struct protocol_lines *l, const struct bpei_tally *t, const char *format, unsigned number)
{
	struct bpe_protocol p = { .packets = bpei_counter_get(&t->packets),
		.bytes = bpei_counter_get(&t->bytes) };

	if (!p.packets)
		return;
	snprintf(p.name, sizeof p.name, format, number);
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->line[i].name, p.name))
			continue;
		l->line[i].packets += p.packets;
		l->line[i].bytes += p.bytes;
		return;
	}
	if (l->count < l->room)
		l->line[l->count++] = p;
}

/* Adds the packets without a known protocol: damaged packets, and packets cut by the capture. */
static void add_unknown_lines(struct protocol_lines *l, const struct bpei_counts *c)
{
	const struct bpei_tally *all = &c->proto[BPE_PROTO_NONE];
	/* A cut packet is counted here before it is counted in `all`. */
	const uint64_t packets = bpei_counter_get(&all->packets);
	const uint64_t bytes = bpei_counter_get(&all->bytes);
	const uint64_t cut_packets = bpei_counter_get(&c->cut_short.packets);
	const uint64_t cut_bytes = bpei_counter_get(&c->cut_short.bytes);
	struct bpei_tally damaged = { 0 };

	if (packets > cut_packets && bytes >= cut_bytes) {
		bpei_counter_set(&damaged.packets, packets - cut_packets);
		bpei_counter_set(&damaged.bytes, bytes - cut_bytes);
	}
	add_protocol_line(l, &damaged, bpe_proto_name(BPE_PROTO_NONE), 0);
	add_protocol_line(l, &c->cut_short, "cut-short", 0);
}

/* Adds a tally under a name, or under the number if name is NULL. */
static void add_named_line(struct protocol_lines *l, const struct bpei_tally *t, const char *name,
	const char *format, uint32_t number)
{
	add_protocol_line(l, t, name ? name : format, number);
}

/* Returns the name of an IP protocol; NULL for ICMP, which is counted here only in a packet of the
 * wrong IP version. */
static const char *name_uncounted_protocol(uint32_t ip_proto)
{
	return ip_proto == 1 || ip_proto == 58 ? NULL : bpe_ip_proto_name((int)ip_proto);
}

static void add_kind_line(struct protocol_lines *l, const struct bpei_kind *k)
{
	const uint32_t kind = (uint32_t)bpei_counter_get(&k->kind);

	if (kind >= BPEI_KIND_LINK_TYPE) {
		const uint32_t link_type = kind - BPEI_KIND_LINK_TYPE;

		add_named_line(
			l, &k->tally, bpe_link_type_name((int)link_type), "linktype-%u", link_type);
	} else if (kind) {
		const uint32_t type = kind - BPEI_KIND_ETHERTYPE;

		add_named_line(l, &k->tally, bpei_ethertype_name(type), "ethertype-0x%04x", type);
	}
}

/* Orders lines by packets, most first, then by name. */
static int compare_protocol_lines(const void *x, const void *y)
{
	const struct bpe_protocol *a = x;
	const struct bpe_protocol *b = y;

	if (a->packets != b->packets)
		return a->packets < b->packets ? 1 : -1;
	return strcmp(a->name, b->name);
}

size_t bpei_counts_protocols(const struct bpei_counts *const *counts, uint32_t n,
	struct bpe_protocol *protocols, size_t bytes, size_t max)
{
	struct protocol_lines l = { .room = BPE_PROTO_COUNT + 256 + (size_t)n * BPEI_KINDS + 1 };

	l.line = malloc(l.room * sizeof *l.line);
	if (!l.line)
		return 0;
	for (uint32_t w = 0; w < n; w++) {
		const struct bpei_counts *c = counts[w];

		add_unknown_lines(&l, c);
		for (uint32_t k = 0; k < BPE_PROTO_COUNT; k++)
			if (k != BPE_PROTO_NONE && !is_counted_by_number(k))
				add_protocol_line(&l, &c->proto[k], bpe_proto_name((int)k), 0);
		for (uint32_t k = 0; k < 256; k++)
			add_named_line(
				&l, &c->ip_proto[k], name_uncounted_protocol(k), "ip-proto-%u", k);
		for (uint32_t k = 0; k < BPEI_KINDS; k++)
			add_kind_line(&l, &c->kinds[k]);
		add_protocol_line(&l, &c->other_kinds, "ethertype-other", 0);
	}
	qsort(l.line, l.count, sizeof *l.line, compare_protocol_lines);
	for (size_t i = 0; i < l.count && i < max; i++)
		bpei_sized_give((char *)protocols + i * bytes, bytes, &l.line[i], sizeof l.line[i]);
	free(l.line);
	return l.count;
}
