/* SPDX-License-Identifier: MIT */
/* What a writer changes of packets.  Copies are looked for among the packets as offered, before
 * anything of them is cut or changed.  Packets lie in read-only blocks, so addresses are replaced
 * in a copy.  Owner: whoever holds the writer's lock. */
#include "writer/rewriting.h"

#include "base/error.h"
#include "base/random.h"
#include "rewrite/anonymise.h"
#include "rewrite/dedup.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)BPE_DEDUP_FRAME == BPEI_DEDUP_FRAME && (int)BPE_DEDUP_IP == BPEI_DEDUP_IP &&
		       (int)BPE_DEDUP_EXACT == BPEI_DEDUP_EXACT,
	"the public numbers are those of dedup.h");
_Static_assert(BPE_ANONYMISE_MAC == BPEI_ANONYMISE_MAC &&
		       BPE_ANONYMISE_CUT_PAYLOAD == BPEI_ANONYMISE_CUT_PAYLOAD &&
		       BPE_ANONYMISE_ALL == BPEI_ANONYMISE_ALL &&
		       BPE_ANONYMISE_KEY_BYTES == BPEI_PREFIX_KEY_BYTES,
	"the public numbers are those of anonymise.h");

struct bpei_rewriting {
	struct bpei_dedup *dedup;           /* NULL: copies are written */
	struct bpei_anonymiser *anonymiser; /* NULL: addresses stay */
	uint8_t *copy;                      /* of a packet, BPE_MAX_SNAPLEN bytes */
};

static int check_rewriting(const struct bpe_writer_options *o, struct bpe_error *error)
{
	const uint64_t flags = BPE_ANONYMISE_MAC | BPE_ANONYMISE_CUT_PAYLOAD | BPE_ANONYMISE_ALL;

	if (o->dedup_ns < 0 || o->dedup > BPE_DEDUP_IP || o->dedup_packets > BPEI_DEDUP_MOST)
		return bpei_fail(error, BPE_E_ARGUMENT, "dedup", 0,
			"dedup_ns must not be negative, dedup is an enum bpe_dedup, dedup_packets at most %u",
			BPEI_DEDUP_MOST);
	if (o->dedup_ns && o->dedup_packets)
		return bpei_fail(error, BPE_E_ARGUMENT, "dedup", 0,
			"copies are looked for within a time or within a number of packets: set dedup_ns or dedup_packets");
	if (o->dedup && !o->dedup_ns && !o->dedup_packets)
		return bpei_fail(
			error, BPE_E_ARGUMENT, "dedup", 0, "dedup needs dedup_ns or dedup_packets");
	if (o->anonymise & ~flags || (o->anonymise && !o->anonymise_key))
		return bpei_fail(error, BPE_E_ARGUMENT, "anonymise", 0,
			"anonymise has flags that are not known, or no anonymise_key");
	if (o->anonymise_key && o->hash)
		return bpei_fail(error, BPE_E_ARGUMENT, "hash", 0,
			"the hash of a packet tells of the addresses that anonymise_key hides: leave hash out");
	return BPE_OK;
}

/* Makes the table of packets seen, with a key of this run. */
static struct bpei_dedup *make_dedup_table(const struct bpe_writer_options *o)
{
	bool weak;
	const struct bpei_dedup_options options = { .window_ns = o->dedup_ns ? o->dedup_ns : -1,
		.window_packets = o->dedup_packets,
		.compare = o->dedup,
		.key = { bpei_random_seed(&bpei_random_sys_real, &weak),
			bpei_random_seed(&bpei_random_sys_real, &weak) } };

	return bpei_dedup_new(&options);
}

int bpei_rewriting_open(const struct bpe_writer_options *o, struct bpei_rewriting **rewriting,
	struct bpe_error *error)
{
	const int status = check_rewriting(o, error);

	*rewriting = NULL;
	if (status != BPE_OK || (!o->dedup_ns && !o->dedup_packets && !o->anonymise_key))
		return status;
	struct bpei_rewriting *r = calloc(1, sizeof *r);
	bool good = r;

	if (r && (o->dedup_ns || o->dedup_packets))
		good &= (r->dedup = make_dedup_table(o)) != NULL;
	if (r && o->anonymise_key) {
		r->copy = malloc(BPE_MAX_SNAPLEN);
		r->anonymiser = bpei_anonymiser_new(o->anonymise_key, (uint32_t)o->anonymise);
		good &= r->copy && r->anonymiser;
	}
	if (!good) {
		bpei_rewriting_close(r);
		return bpei_fail(error, BPE_E_MEMORY, "rewriting", 0,
			"no memory to look for copies or to replace addresses");
	}
	*rewriting = r;
	return BPE_OK;
}

void bpei_rewriting_close(struct bpei_rewriting *r)
{
	if (!r)
		return;
	bpei_dedup_free(r->dedup);
	bpei_anonymiser_free(r->anonymiser);
	free(r->copy);
	free(r);
}

bool bpei_rewriting_is_copy(struct bpei_rewriting *r, const struct bpei_packet_out *packet,
	int64_t time_ns, int32_t link_type)
{
	const struct bpei_dedup_packet p = { .data = packet->data,
		.time_ns = time_ns,
		.caplen = packet->caplen,
		.wirelen = packet->wirelen,
		.link_type = (uint32_t)link_type };

	return r->dedup && bpei_dedup_is_copy(r->dedup, &p);
}

void bpei_rewriting_anonymise(
	struct bpei_rewriting *r, struct bpei_packet_out *packet, int32_t link_type)
{
	if (packet->caplen)
		memcpy(r->copy, packet->data, packet->caplen);
	packet->caplen = bpei_anonymise(r->anonymiser, packet->data, r->copy, packet->caplen,
		packet->wirelen, (uint32_t)link_type);
	packet->data = r->copy;
}

bool bpei_rewriting_anonymises(const struct bpei_rewriting *r)
{
	return r && r->anonymiser;
}

void bpei_rewriting_counts(const struct bpei_rewriting *r, struct bpe_written *stats)
{
	if (r && r->dedup)
		stats->dedup_forgotten = bpei_dedup_forgotten(r->dedup);
	if (!bpei_rewriting_anonymises(r))
		return;
	stats->not_anonymised = bpei_anonymise_counts(r->anonymiser)->unreached;
	stats->macs_kept = bpei_anonymise_counts(r->anonymiser)->macs_kept;
}
