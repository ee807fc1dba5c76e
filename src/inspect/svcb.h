/* SPDX-License-Identifier: MIT */
/* Parameters of SVCB and HTTPS records (RFC 9460). */
#ifndef BPEI_SVCB_H
#define BPEI_SVCB_H

#include "inspect/dns.h"
#include "inspect/dns_text.h"

#define BPEI_SVCB_IPV4HINT 4u
#define BPEI_SVCB_IPV6HINT 6u

/* A walk over parameters. */
struct bpei_svcb_walk {
	const uint8_t *next, *end;
	uint16_t key, bytes; /* of the parameter at hand */
	const uint8_t *value;
	bool bad; /* a parameter is cut off, or keys do not rise */
};

/* Returns a walk over n bytes of parameters. */
struct bpei_svcb_walk bpei_svcb_init(const uint8_t *parameters, uint32_t n);
/* Returns true with the next parameter. */
bool bpei_svcb_next(struct bpei_svcb_walk *walk);
/* Finds the parameters of a record: returns their offset in the message, or 0 if the record is in
 * alias mode or malformed. */
uint32_t bpei_svcb_find(
	const struct bpei_dns_message *message, const struct bpei_dns_record *record);
/* Adds parameters as text, each with a space before.  Returns false if they are malformed. */
bool bpei_svcb_text(struct bpei_dns_text *text, const uint8_t *parameters, uint32_t n);

#endif
