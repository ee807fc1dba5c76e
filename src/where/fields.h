/* SPDX-License-Identifier: MIT */
/* The fields of conditions: each row names a member of struct bpe_flow and says how the member is
 * read.  A new member of the record is a row in fields.c.  Stateless. */
#ifndef BPEI_WHERE_FIELDS_H
#define BPEI_WHERE_FIELDS_H

#include "bpfengine.h"

/* What a member holds, and therefore how a value of a condition is written. */
enum bpei_where_kind {
	BPEI_WHERE_TEXT,    /* an array of char with a final 0 */
	BPEI_WHERE_LIST,    /* likewise: texts separated by commas */
	BPEI_WHERE_COUNT,   /* a number */
	BPEI_WHERE_BYTES,   /* a number of bytes */
	BPEI_WHERE_SPAN,    /* nanoseconds */
	BPEI_WHERE_TIME,    /* nanoseconds since 1970 */
	BPEI_WHERE_ADDRESS, /* 16 bytes; `more`: offset of the IP version, a byte */
	BPEI_WHERE_CHOICE,  /* a number with a name, by `choice` */
	BPEI_WHERE_PROTO,   /* likewise; the number itself is a value as well */
	BPEI_WHERE_TLS,     /* a version of TLS, as on the wire */
	BPEI_WHERE_FLAG,    /* true if the word of 32 bits has the bit `more` */
	BPEI_WHERE_LETTERS  /* TCP flags, shown as "FSRP.UEW" */
};

/* How members with two elements are read without "orig." or "resp.". */
enum bpei_where_way {
	BPEI_WHERE_ONE,       /* the member has a single element */
	BPEI_WHERE_SUM,       /* both elements added */
	BPEI_WHERE_ANY,       /* either element may match */
	BPEI_WHERE_DIFFERENCE /* the second element less the first; neither has a name of its own */
};

/* When a member is unknown. */
enum bpei_where_absent {
	BPEI_WHERE_NEVER,
	BPEI_WHERE_ZERO,         /* if 0; a text: if "" */
	BPEI_WHERE_NEGATIVE,     /* if below 0 */
	BPEI_WHERE_NOT_POSITIVE, /* if 0 or below */
	BPEI_WHERE_NO_OWNER,     /* if the owner of the socket is not known, or below 0 */
	BPEI_WHERE_NO_ANSWER,    /* if the name is not from DNS, mDNS or DHCP */
	BPEI_WHERE_NO_ID         /* if the tunnel has no id */
};

struct bpei_where_field {
	const char *name;
	uint16_t offset; /* in struct bpe_flow */
	uint16_t bytes;  /* of an element */
	uint8_t kind, way, absent;
	uint8_t exact;     /* texts: the case of letters counts */
	uint8_t is_signed; /* numbers */
	uint32_t needs;    /* BPE_FLOW_* bit without which the member is unknown; 0: none */
	uint32_t more;
	const char *(*choice)(int number); /* name of a number; NULL or "": none */
};

/* The element of a member that a condition reads. */
enum { BPEI_WHERE_ORIG = 0, BPEI_WHERE_RESP = 1, BPEI_WHERE_BOTH = 2 };

/* Finds a field by name, as "bytes" or "orig.bytes".  Returns NULL if there is none; else stores
 * the element in *end. */
const struct bpei_where_field *bpei_where_field(const char *name, size_t length, uint8_t *end);
/* Returns name number i of all names, without "orig." and "resp.", short names included.  Returns
 * NULL past the last.  *has_ends: whether the name may have these words in front. */
const char *bpei_where_field_name(size_t i, bool *has_ends);

/* Reads element k (0 or 1) of a number.  Returns false if the number is unknown.  Flags are 0 and
 * 1; versions of TLS are as bpei_where_tls_version. */
bool bpei_where_number(
	const struct bpei_where_field *field, const struct bpe_flow *flow, int k, int64_t *number);
/* Reads a number as `end` says; not for BPEI_WHERE_ANY with BPEI_WHERE_BOTH. */
bool bpei_where_total(const struct bpei_where_field *field, const struct bpe_flow *flow, int end,
	int64_t *number);
/* Returns element k of a text, and its length in *length; 0: unknown.  room: for TCP flags. */
const char *bpei_where_text(const struct bpei_where_field *field, const struct bpe_flow *flow,
	int k, char room[9], size_t *length);
/* Returns the place of a version on the wire in the order of versions; 0: no version of TLS. */
int64_t bpei_where_tls_version(uint64_t wire);

#endif
