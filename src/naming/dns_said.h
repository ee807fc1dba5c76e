/* SPDX-License-Identifier: MIT */
/* Names of addresses in messages of DNS, mDNS, LLMNR, put into the table of hosts. */
#ifndef BPEI_DNS_SAID_H
#define BPEI_DNS_SAID_H

#include "naming/dns_pairs.h"

#include "inspect/dns.h"

/* Puts the addresses of an answer under the name which was asked for: of A and AAAA records at the
 * end of a chain of aliases, and of the hints of HTTPS and SVCB records.  The receiver is the
 * asker. */
void bpei_dns_said_put(struct bpei_hosts *hosts, uint32_t worker,
	const struct bpei_dns_message *dns, const struct bpei_message *message);
/* Puts the addresses of an answer by mDNS or LLMNR under their own names. */
void bpei_mdns_said_put(struct bpei_hosts *hosts, uint32_t worker,
	const struct bpei_dns_message *dns, const struct bpei_message *message);

#endif
