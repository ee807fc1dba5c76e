/* SPDX-License-Identifier: MIT */
/* What lines of flows and lines of events have in common, by format.  Pure. */
#ifndef BPEI_FORMAT_PARTS_H
#define BPEI_FORMAT_PARTS_H

#include "format/flow_text.h"
#include "format/names_text.h"

/* ---- zeek.c ---- */

/* Writes ,"uid":"C..." and the members up to "proto", which all logs of Zeek have. */
void bpei_zeek_write_ends(struct bpei_writer *w, const struct bpe_flow *flow);
/* Writes ,"pid":1,"process":"curl"; nothing if the process is not known. */
void bpei_zeek_write_process(struct bpei_writer *w, const struct bpe_flow *flow);

/* ---- eve.c ---- */

/* Writes EVE's members from "timestamp" to "proto" and "app_proto". */
void bpei_eve_write_head(struct bpei_writer *w, const struct bpe_flow *flow, int64_t time_ns,
	const char *event_type);

/* ---- ecs.c ---- */

/* Writes @timestamp, ecs.version and the beginning of "event", up to "dataset" without its closing
 * brace.  types: of event.type, as "connection","end". */
void bpei_ecs_write_head(
	struct bpei_writer *w, int64_t time_ns, const char *types, const char *dataset);
/* Writes ,"start":"2026-01-31T23:59:59.000000000Z"; name: all before the time. */
void bpei_ecs_write_time(struct bpei_writer *w, const char *name, int64_t ns);
/* Writes source, destination, network, observer and process. */
void bpei_ecs_write_flow(struct bpei_writer *w, const struct bpe_flow *flow);
/* Writes tls, http, url, user and container, as far as the flow's names tell. */
void bpei_ecs_write_names(struct bpei_writer *w, const struct bpe_flow *flow);
/* The members of names that ECS has, and lines of ECS do not write again. */
extern const uint32_t bpei_ecs_named;

#endif
