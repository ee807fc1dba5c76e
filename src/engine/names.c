/* SPDX-License-Identifier: MIT */
/* Namers and flow tables side by side (names.h): neither knows the other. */
#include "engine/names.h"

#include "base/error.h"
#include "flow/flow.h"

#define DEFAULT_BYTES (64u << 20)
#define DEFAULT_QUIC 20000u

int bpei_naming_open(struct bpei_naming *n, const struct bpe_options *o, uint32_t shares,
	struct bpe_error *error)
{
	const uint64_t all = o->names_bytes ? o->names_bytes : DEFAULT_BYTES;
	const uint64_t each = all / shares;
	const bool has_hosts = o->names & (BPE_NAMES_DNS | BPE_NAMES_HOSTS);

	if (!o->names)
		return BPE_OK;
	const int status = bpei_form_open(o, &n->form, error);

	if (status < 0)
		return status;
	n->namer_bytes = has_hosts ? each / 4 * 3 : each;
	if (!has_hosts)
		return BPE_OK;
	n->hosts = bpei_hosts_new(shares, each / 4);
	if (!n->hosts)
		return bpei_fail(
			error, BPE_E_MEMORY, "names", 0, "no memory for the names of hosts");
	return BPE_OK;
}

void bpei_naming_close(struct bpei_naming *n)
{
	bpei_hosts_free(n->hosts);
	bpei_form_close(n->form);
	*n = (struct bpei_naming){ .hosts = NULL };
}

/* Gives an event of the flow at an entry, with the flow's record at present. */
static void give_flow_event(void *share_names, uint32_t kind, uint32_t entry, int64_t time_ns,
	const struct bpe_dns *dns) BPEI_UNCHECKED
{
	const struct bpei_share_names *names = share_names;
	struct bpe_flow record;

	bpei_table_record(names->table, entry, &record);
	bpei_event_give(&names->way, kind, time_ns, &record, dns);
}

int bpei_share_names_open(struct bpei_share_names *names, const struct bpei_naming *naming,
	const struct bpe_options *o, uint32_t number, uint64_t seed)
{
	struct bpei_namer_options options = {
		.names = o->names,
		.bytes = naming->namer_bytes,
		.quic_per_second = o->quic_per_second ? o->quic_per_second : DEFAULT_QUIC,
		.crypto = o->crypto,
		.hosts = naming->hosts,
		.worker = number,
		.form = naming->form,
		.seed = seed,
		.end_of = bpei_table_end,
		.user = names,
	};

	if (names->way.on_event)
		options.emit = give_flow_event;
	names->namer = bpei_namer_new(&options);
	return names->namer ? BPE_OK : BPE_E_MEMORY;
}

void bpei_share_names_join(struct bpei_share_names *names, struct bpei_table *table)
{
	uint64_t count;
	uint32_t *const ids = bpei_table_ids(table, &count);

	names->table = table;
	bpei_namer_ids(names->namer, table, ids, count);
}

void bpei_share_names_close(struct bpei_share_names *names)
{
	bpei_namer_free(names->namer);
	names->namer = NULL;
}

void bpei_share_names_read(struct bpei_share_names *names, const struct bpe_batch *batch)
{
	bpei_namer_batch(names->namer, batch, bpei_table_now(names->table));
}
