/* SPDX-License-Identifier: MIT */
/* Groups of flows: by host, pair of hosts, service, process, name, app; pure. */
#include "top_model.h"

#include <string.h>

#define SLOTS 16384u /* at least four for each group */
_Static_assert(SLOTS >= 4 * TOP_ROWS, "SLOTS");

const char *top_group_name(enum top_group group)
{
	static const char *const names[TOP_GROUPS] = { "flows", "hosts", "pairs", "services",
		"processes", "names", "apps" };

	return group < TOP_GROUPS ? names[group] : "?";
}

/* A key that all flows of a group share; unused bytes are 0. */
struct group_key {
	uint8_t bytes[264];
};

/* Copies a name in small letters: DNS does not tell letters of either case apart. */
static void write_small_letters(uint8_t *to, const char *name, size_t room)
{
	for (size_t i = 0; i < room && name[i]; i++) {
		const bool is_capital = name[i] >= 'A' && name[i] <= 'Z';

		to[i] = (uint8_t)(is_capital ? name[i] | 0x20 : name[i]);
	}
}

/* Makes the key of a group. */
static struct group_key make_group_key(enum top_group group, const struct bpe_flow *f, int end)
{
	struct group_key key = { { 0 } };
	const int lower = memcmp(f->addr[0], f->addr[1], 16) > 0;
	const uint16_t port = top_port(f, 1);
	const int32_t pid = f->pid > 0 ? f->pid : 0;

	key.bytes[0] = f->ip_version;
	switch (group) {
	case TOP_GROUP_HOST:
		memcpy(key.bytes + 1, f->addr[end], 16);
		break;
	case TOP_GROUP_PAIR:
		memcpy(key.bytes + 1, f->addr[lower], 16);
		memcpy(key.bytes + 17, f->addr[!lower], 16);
		break;
	case TOP_GROUP_SERVICE:
		key.bytes[0] = f->ip_proto;
		memcpy(key.bytes + 1, &port, sizeof port);
		break;
	case TOP_GROUP_NAME:
		key.bytes[0] = 0;
		write_small_letters(key.bytes + 1, f->names.server, sizeof f->names.server);
		break;
	case TOP_GROUP_APP:
		key.bytes[0] = f->names.app;
		break;
	default:
		key.bytes[0] = 0;
		memcpy(key.bytes + 1, &pid, sizeof pid);
		if (pid)
			memcpy(key.bytes + 8, f->comm, sizeof f->comm);
		break;
	}
	return key;
}

bool top_same_group(enum top_group group, const struct bpe_flow *a, int end_a,
	const struct bpe_flow *b, int end_b)
{
	const struct group_key key_a = make_group_key(group, a, end_a);
	const struct group_key key_b = make_group_key(group, b, end_b);

	return !memcmp(&key_a, &key_b, sizeof key_a);
}

bool top_in_group(
	enum top_group group, const struct bpe_flow *of, int end, const struct bpe_flow *flow)
{
	if (!group || top_same_group(group, of, end, flow, 0))
		return true;
	return group == TOP_GROUP_HOST && top_same_group(group, of, end, flow, 1);
}

/* ---- Sums ---- */

struct grouping {
	enum top_group group;
	struct top_row *groups;
	size_t count;
	uint32_t *slots; /* groups by key: index + 1; 0: free */
};

/* Finds the slot of the key, or the free slot for the key. */
static uint32_t *find_group_slot(const struct grouping *g, const struct bpe_flow *f, int end)
{
	const struct group_key key = make_group_key(g->group, f, end);
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t k = 0; k < sizeof key.bytes; k++)
		hash = (hash ^ key.bytes[k]) * 16777619u;
	for (uint32_t i = hash & (SLOTS - 1);; i = (i + 1) & (SLOTS - 1)) {
		const uint32_t at = g->slots[i];

		if (!at)
			return &g->slots[i];
		const struct top_row *r = &g->groups[at - 1];
		if (top_same_group(g->group, r->flow, r->end, f, end))
			return &g->slots[i];
	}
}

/* Adds a flow's row to the group.  turned: index 0 of the sums is the flow's end 1. */
static void add_to_group(struct top_row *group, const struct top_row *r, int turned)
{
	for (int k = 0; k < 2; k++) {
		group->bytes[k] += r->bytes[k ^ turned];
		group->packets[k] += r->packets[k ^ turned];
		for (int w = 0; w < TOP_WINDOWS; w++)
			group->rate[w][k] += r->rate[w][k ^ turned];
	}
	for (int w = 0; w < TOP_WINDOWS; w++)
		group->packet_rate[w] += r->packet_rate[w];
	group->flows++;
	group->known |= r->known;
	group->retransmissions += r->retransmissions;
	if (r->age_ns > group->age_ns)
		group->age_ns = r->age_ns;
}

static void group_row(struct grouping *g, const struct top_row *r, int end)
{
	uint32_t *slot = find_group_slot(g, r->flow, end);

	if (!*slot) {
		g->groups[g->count] = (struct top_row){ .flow = r->flow, .end = end, .rtt_ns = -1 };
		*slot = (uint32_t)++g->count;
	}
	struct top_row *group = &g->groups[*slot - 1];
	int turned = 0;
	if (g->group == TOP_GROUP_HOST)
		turned = end;
	if (g->group == TOP_GROUP_PAIR)
		turned = memcmp(group->flow->addr[0], r->flow->addr[0], 16) != 0;
	add_to_group(group, r, turned);
}

size_t top_group_rows(const struct top_row *rows, const uint32_t *wanted, size_t count,
	enum top_group group, struct top_row *groups)
{
	static uint32_t slots[SLOTS]; /* a single thread shows the view */
	struct grouping g = { .group = group, .groups = groups, .slots = slots };

	memset(slots, 0, sizeof slots);
	for (size_t i = 0; i < count; i++) {
		const struct top_row *r = &rows[wanted[i]];

		group_row(&g, r, 0);
		/* a flow between equal addresses is counted once */
		if (group == TOP_GROUP_HOST && memcmp(r->flow->addr[0], r->flow->addr[1], 16) != 0)
			group_row(&g, r, 1);
	}
	return g.count;
}
