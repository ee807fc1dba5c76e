/* SPDX-License-Identifier: MIT */
/* The way of events (struct bpe_event) from the owner of a flow table to the program.
 *
 * A table's owner gives an event with bpei_event_give.  In the engine the event goes through the
 * share's ring of records to the output thread.  At the capture level on_event is called at once.
 * The table's struct bpei_flow_share has the handler, beside the handlers of records. */
#ifndef BPEI_EVENTS_H
#define BPEI_EVENTS_H

#include "base/roles.h"
#include "bpfengine.h"
#include "naming/form.h"

struct bpe_event; /* until the public header has it */

/* Where the events of a table go. */
struct bpei_event_way {
	void (*on_event)(void *user, const struct bpe_event *event); /* NULL: to nobody */
	void *user;
	const struct bpei_form *form; /* of the names of DNS; NULL: whole */
};

/* Gives an event, or does nothing without on_event.  flow: the flow's record at present, after
 * bpei_names_form.  dns: with whole names; NULL for all kinds but BPE_EVENT_DNS.  time_ns: of the
 * packet that told. */
void bpei_event_give(const struct bpei_event_way *way, uint32_t kind, int64_t time_ns,
	const struct bpe_flow *flow, const struct bpe_dns *dns) BPEI_WORKER;

#endif
