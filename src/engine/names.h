/* SPDX-License-Identifier: MIT */
/* Names of the flows of a table: making and feeding a namer beside the table.
 *
 * Life: bpei_flows_table makes the namer with the table -> read for each batch -> finish -> close,
 * after the table.  While no packets come, the namer ages with the table.  The owner of the table
 * calls all of these. */
#ifndef BPEI_ENGINE_NAMES_H
#define BPEI_ENGINE_NAMES_H

#include "base/roles.h"
#include "engine/events.h"
#include "naming/namer.h"

struct bpei_flows;
struct bpei_flow_share;

/* The common part of all shares. */
struct bpei_naming {
	struct bpei_hosts *hosts; /* NULL: no names by DNS, mDNS and DHCP */
	struct bpei_form *form;   /* NULL: names as they are */
	uint64_t namer_bytes;     /* of a share, without hosts */
};

/* A share's namer. */
struct bpei_share_names {
	struct bpei_namer *namer; /* NULL: no names */
	struct bpei_table *table;
	struct bpei_event_way way;
};

/* Makes the common part, if the options ask for names.  Returns BPE_OK, or a failure
 * with *error filled. */
int bpei_naming_open(struct bpei_naming *naming, const struct bpe_options *options, uint32_t shares,
	struct bpe_error *error);
void bpei_naming_close(struct bpei_naming *naming); /* after the namers; zeroed is allowed */

/* Makes a share's namer for the table to come.  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_share_names_open(struct bpei_share_names *names, const struct bpei_naming *naming,
	const struct bpe_options *options, uint32_t number, uint64_t seed);
/* Joins namer and table. */
void bpei_share_names_join(struct bpei_share_names *names, struct bpei_table *table);
void bpei_share_names_close(struct bpei_share_names *names); /* zeroed is allowed */

/* Reads the payload of a batch, behind the table. */
void bpei_share_names_read(
	struct bpei_share_names *names, const struct bpe_batch *batch) BPEI_WORKER;

#endif
