/* SPDX-License-Identifier: MIT */
/* Packing of names into slabs, and back.
 *
 * A group of texts is an interned text: the members with their final 0, in the order of the table
 * below.  A flow of which nothing but the protocol is known needs no slab. */
#include "naming/slabs.h"

#include <string.h>

#define MOST_SLABS (BPEI_ID_TRIED - BPEI_ID_SLABS - 1)
#define GROUP_BYTES 512u

struct member {
	uint16_t group, offset, bytes;
};
#define MEMBER(group, name)                                                                        \
	{ BPEI_TEXT_##group, offsetof(struct bpe_flow_names, name),                                \
		sizeof(((struct bpe_flow_names *)0)->name) }
static const struct member members[] = {
	MEMBER(SERVER, server),
	MEMBER(OTHERS, others),
	MEMBER(CLIENT, client),
	MEMBER(HELLO, alpn),
	MEMBER(HELLO, ja4),
	MEMBER(HELLO, ja3),
	MEMBER(CERTIFICATE, subject),
	MEMBER(CERTIFICATE, issuer),
	MEMBER(SSH, hassh[0]),
	MEMBER(SSH, hassh[1]),
	MEMBER(SSH, banner[0]),
	MEMBER(SSH, banner[1]),
	MEMBER(METHOD, method),
};
#define MEMBERS (sizeof members / sizeof *members)

bool bpei_slabs_init(struct bpei_slabs *s, struct bpei_account *account, uint64_t seed)
{
	const bool has_pool = bpei_pool_init(
		&s->pool, account, BPEI_PART_SLABS, sizeof(struct bpei_slab), MOST_SLABS);

	s->lost = 0;
	return bpei_texts_init(&s->texts, account, seed) && has_pool;
}

void bpei_slabs_free(struct bpei_slabs *s)
{
	bpei_texts_free(&s->texts);
	bpei_pool_free(&s->pool);
}

/* Appends the texts of a group to a buffer.  Returns their bytes; 0: all are empty. */
static uint32_t join_group(
	uint32_t group, const struct bpe_flow_names *names, char joined[GROUP_BYTES])
{
	uint32_t n = 0;
	bool any = false;

	for (size_t k = 0; k < MEMBERS; k++) {
		if (members[k].group != group)
			continue;
		const char *const text = (const char *)names + members[k].offset;
		const size_t bytes = strnlen(text, members[k].bytes - 1u);

		memcpy(joined + n, text, bytes);
		joined[n + bytes] = 0;
		n += (uint32_t)bytes + 1;
		any |= bytes != 0;
	}
	return any ? n : 0;
}

/* Copies the texts of a group to their members. */
static void split_group(uint32_t group, const struct bpei_text *text, struct bpe_flow_names *names)
{
	uint32_t at = 0;

	for (size_t k = 0; k < MEMBERS; k++) {
		if (members[k].group != group)
			continue;
		const uint32_t bytes = (uint32_t)strlen(text->bytes + at) + 1;

		memcpy((char *)names + members[k].offset, text->bytes + at, bytes);
		at += bytes;
	}
}

/* Returns the slab of a finished id, or NULL. */
static struct bpei_slab *find_slab(const struct bpei_slabs *s, uint32_t id)
{
	return id > BPEI_ID_SLABS ? bpei_pool_at(&s->pool, id - BPEI_ID_SLABS) : NULL;
}

/* Gives the texts of a slab back. */
static void give_slab_texts(struct bpei_slabs *s, struct bpei_slab *slab)
{
	for (uint32_t group = 0; group < BPEI_TEXT_GROUPS; group++)
		if (slab->text[group])
			bpei_texts_give(&s->texts, slab->text[group]);
}

/* Returns true if nothing but a protocol is known. */
static bool is_app_alone(const struct bpe_flow_names *n)
{
	const uint32_t flags = n->flags & ~BPE_NAMED_CUT;
	const uint32_t numbers = flags | n->tls_version | n->tls_cipher | n->quic_version |
				 n->http_status | n->source | n->others_count;
	const uint32_t texts = (uint8_t)n->server[0] | (uint8_t)n->client[0] | (uint8_t)n->alpn[0] |
			       (uint8_t)n->ja4[0] | (uint8_t)n->ja3[0] | (uint8_t)n->method[0] |
			       (uint8_t)n->subject[0] | (uint8_t)n->issuer[0];
	const uint32_t ends = (uint8_t)n->hassh[0][0] | (uint8_t)n->hassh[1][0] |
			      (uint8_t)n->banner[0][0] | (uint8_t)n->banner[1][0];

	return !(numbers | texts | ends);
}

/* Returns the id of a flow of which nothing but the protocol is kept. */
static uint32_t id_of_app(const struct bpe_flow_names *names)
{
	const uint32_t cut = names->flags & BPE_NAMED_CUT ? BPEI_ID_CUT : 0;

	return BPEI_ID_NOTHING + names->app + cut;
}

/* Interns the texts of the names.  Returns false if a text found no room. */
static bool take_slab_texts(
	struct bpei_slabs *s, struct bpei_slab *slab, const struct bpe_flow_names *names)
{
	char joined[GROUP_BYTES];
	bool all = true;

	for (uint32_t group = 0; group < BPEI_TEXT_GROUPS; group++) {
		const uint32_t n = join_group(group, names, joined);

		slab->text[group] = n ? bpei_texts_take(&s->texts, joined, n) : 0;
		all &= !n || slab->text[group];
	}
	return all;
}

uint32_t bpei_slabs_keep(struct bpei_slabs *s, uint32_t id, const struct bpe_flow_names *names)
{
	struct bpei_slab *slab = find_slab(s, id);

	if (is_app_alone(names)) {
		bpei_slabs_drop(s, id);
		return id_of_app(names);
	}
	if (!slab) {
		const uint32_t number = bpei_pool_take(&s->pool);

		if (!number) {
			s->lost++;
			return id_of_app(names);
		}
		id = BPEI_ID_SLABS + number;
		slab = find_slab(s, id);
		*slab = (struct bpei_slab){ .app = 0 };
	}
	struct bpei_slab filled = { .app = names->app,
		.source = names->source,
		.others_count = names->others_count,
		.flags = (uint16_t)names->flags,
		.tls_version = names->tls_version,
		.tls_cipher = names->tls_cipher,
		.http_status = names->http_status,
		.quic_version = names->quic_version,
		.answered_ns = names->age_ns,
		.ttl_ns = names->ttl_ns };

	if (!take_slab_texts(s, &filled, names))
		s->lost++;
	if (!filled.text[BPEI_TEXT_SERVER])
		filled.source = BPE_NAME_NONE;
	give_slab_texts(s, slab);
	*slab = filled;
	return id;
}

void bpei_slabs_fill(const struct bpei_slabs *s, uint32_t id, struct bpe_flow_names *names)
{
	const struct bpei_slab *const slab = find_slab(s, id);

	if (!slab) {
		names->app = bpei_slabs_app(s, id);
		names->flags = id > BPEI_ID_CUT ? BPE_NAMED_CUT : 0;
		return;
	}
	names->app = slab->app;
	names->source = slab->source;
	names->others_count = slab->others_count;
	names->flags = slab->flags;
	names->tls_version = slab->tls_version;
	names->tls_cipher = slab->tls_cipher;
	names->http_status = slab->http_status;
	names->quic_version = slab->quic_version;
	names->age_ns = slab->answered_ns;
	names->ttl_ns = slab->ttl_ns;
	for (uint32_t group = 0; group < BPEI_TEXT_GROUPS; group++)
		if (slab->text[group])
			split_group(group, bpei_texts_at(&s->texts, slab->text[group]), names);
}

void bpei_slabs_clear(struct bpe_flow_names *names)
{
	memset(names, 0, offsetof(struct bpe_flow_names, server));
	for (size_t k = 0; k < MEMBERS; k++)
		*((char *)names + members[k].offset) = 0;
}

uint8_t bpei_slabs_app(const struct bpei_slabs *s, uint32_t id)
{
	const struct bpei_slab *const slab = find_slab(s, id);

	return slab ? slab->app : (uint8_t)((id - BPEI_ID_NOTHING) % BPEI_ID_CUT);
}

uint8_t bpei_slabs_source(const struct bpei_slabs *s, uint32_t id)
{
	const struct bpei_slab *const slab = find_slab(s, id);

	return slab ? slab->source : BPE_NAME_NONE;
}

void bpei_slabs_server(const struct bpei_slabs *s, uint32_t id, char server[256])
{
	const struct bpei_slab *const slab = find_slab(s, id);
	const uint32_t number = slab ? slab->text[BPEI_TEXT_SERVER] : 0;

	if (number)
		memcpy(server, bpei_texts_at(&s->texts, number)->bytes,
			bpei_texts_at(&s->texts, number)->n);
	else
		server[0] = 0;
}

void bpei_slabs_drop(struct bpei_slabs *s, uint32_t id)
{
	struct bpei_slab *const slab = find_slab(s, id);

	if (!slab)
		return;
	give_slab_texts(s, slab);
	bpei_pool_give(&s->pool, id - BPEI_ID_SLABS);
}
