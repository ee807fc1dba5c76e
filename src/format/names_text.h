/* SPDX-License-Identifier: MIT */
/* The names of a flow (struct bpe_flow_names) as members of a line.  JSON, CSV and the own parts of
 * the other formats have the same members in the same order.  Pure. */
#ifndef BPEI_NAMES_TEXT_H
#define BPEI_NAMES_TEXT_H

#include "format/writer.h"

/* How a member's value is written. */
enum bpei_value {
	BPEI_VALUE_NONE = 0, /* unknown: the member is left out */
	BPEI_VALUE_TEXT,     /* from the wire, to be escaped */
	BPEI_VALUE_WORD,     /* of the engine's own words */
	BPEI_VALUE_NUMBER,
	BPEI_VALUE_SECONDS, /* a number of nanoseconds */
	BPEI_VALUE_TRUE,
	BPEI_VALUE_LIST /* texts with commas between them */
};

struct bpei_member {
	const char *name;
	enum bpei_value value;
	size_t most; /* of text */
	const char *text;
	uint64_t number;
	char room[12]; /* of a word that had to be made */
};

/* Which member is which; the order is the order of the lines. */
enum bpei_named {
	BPEI_NAMED_APP,
	BPEI_NAMED_NAME,
	BPEI_NAMED_SOURCE,
	BPEI_NAMED_OTHERS,
	BPEI_NAMED_OTHERS_COUNT,
	BPEI_NAMED_AGE,
	BPEI_NAMED_TTL,
	BPEI_NAMED_CLIENT,
	BPEI_NAMED_ALPN,
	BPEI_NAMED_TLS_VERSION,
	BPEI_NAMED_TLS_CIPHER,
	BPEI_NAMED_SERVER_HELLO,
	BPEI_NAMED_HELLO_ECH,
	BPEI_NAMED_JA4,
	BPEI_NAMED_JA3,
	BPEI_NAMED_SUBJECT,
	BPEI_NAMED_ISSUER,
	BPEI_NAMED_QUIC_VERSION,
	BPEI_NAMED_METHOD,
	BPEI_NAMED_STATUS,
	BPEI_NAMED_HASSH,
	BPEI_NAMED_HASSH_SERVER,
	BPEI_NAMED_SSH_CLIENT,
	BPEI_NAMED_SSH_SERVER,
	BPEI_NAMED_OWNER,
	BPEI_NAMED_UID,
	BPEI_NAMED_CONTAINER,
	BPEI_NAMED_APP_INNER,
	BPEI_NAMED_NAMES_CUT,
	BPEI_NAMED_COUNT
};
#define BPEI_NAMED_BIT(member) (UINT32_C(1) << BPEI_NAMED_##member)

/* Fills all members of a flow; unknown members have BPEI_VALUE_NONE.  The texts stay the flow's. */
void bpei_names_members(const struct bpe_flow *flow, struct bpei_member members[BPEI_NAMED_COUNT]);

/* Writes ,"app":"tls" and further members as JSON, but for those of the bits `without`. */
void bpei_names_write(struct bpei_writer *w, const struct bpe_flow *flow, uint32_t without);
/* Writes the values as fields of CSV, each behind a comma. */
void bpei_names_write_csv(struct bpei_writer *w, const struct bpe_flow *flow);
/* Writes the names of the columns, each behind a comma. */
void bpei_names_write_columns(struct bpei_writer *w);

/* Writes a list of texts with commas between them as a JSON array of strings. */
void bpei_names_write_list(struct bpei_writer *w, const char *list, size_t most);
/* Writes ,"tls_cipher":"TLS_..."; `name` is all before the value's quote.  A number without a name
 * is written as 0x1399. */
void bpei_names_write_cipher(struct bpei_writer *w, const char *name, uint16_t cipher);

/* Returns whether anything is known of the flow's TLS. */
bool bpei_names_have_tls(const struct bpe_flow *flow);

#endif
