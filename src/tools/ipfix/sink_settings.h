/* SPDX-License-Identifier: MIT */
/* What a target of IPFIX or NetFlow says, read from its words. */
#ifndef IPFIX_SINK_SETTINGS_H
#define IPFIX_SINK_SETTINGS_H

#include "encoder.h"
#include "transport.h"

struct sink_settings {
	struct ipfix_config config;
	struct transport_settings transport;
	uint64_t templates_s; /* UDP: seconds between templates */
	uint64_t options_s;   /* between options records; 0: none */
};

/* Reads a target.  version: enum ipfix_version.  The texts of the address are borrowed.  Returns 0,
 * or -1 with the reason and advice in why.  Pure. */
int sink_settings_read(struct sink_settings *settings, uint32_t version,
	const struct export_address *address, char *why, size_t room);

#endif
