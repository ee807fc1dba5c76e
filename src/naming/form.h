/* SPDX-License-Identifier: MIT */
/* The form in which names are given (options.names_form): whole, cut to the registered domain, or
 * hashed.
 *
 * A form is made once, before the first packet, and is constant afterwards.  All workers share a
 * form. Inside the engine names stay whole, since names are compared there.  The form is applied
 * where a record's names are filled, and where an event is made. */
#ifndef BPEI_FORM_H
#define BPEI_FORM_H

#include "bpfengine.h"

struct bpe_flow_names; /* until the public header has it */
struct bpe_dns;
struct bpei_form;

/* Makes the form of the options; NULL: BPE_NAMES_WHOLE, or no names.  Reads the public suffix list
 * for BPE_NAMES_DOMAIN.  Fails with BPE_E_ABSENT or BPE_E_IO for a list that cannot be read.  Fails
 * with BPE_E_ARGUMENT for a file that is no list, or with BPE_E_MEMORY. */
int bpei_form_open(
	const struct bpe_options *options, struct bpei_form **form, struct bpe_error *error);
/* Frees a form, or NULL. */
void bpei_form_close(struct bpei_form *form);

/* Puts the names of a flow into the form; a form of NULL changes nothing.  Called once for each
 * record, after all names are filled.  Any thread. */
void bpei_names_form(const struct bpei_form *form, struct bpe_flow_names *names);
/* Puts the names of a query and its answers into the form, as bpei_names_form. */
void bpei_names_form_dns(const struct bpei_form *form, struct bpe_dns *dns);

#endif
