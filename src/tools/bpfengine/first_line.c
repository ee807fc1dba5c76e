/* SPDX-License-Identifier: MIT */
/* The first line of a run: the source, its link type, and how much of a packet is kept; stateless.
 */
#include "cli.h"

#include <string.h>
#include <unistd.h>

/* Names of frequent link types, and their meaning. */
static const struct {
	const char *name, *meaning;
} link_types[] = {
	{ "EN10MB", "Ethernet" },
	{ "NULL", "BSD loopback" },
	{ "LOOP", "OpenBSD loopback" },
	{ "RAW", "IP without a link header" },
	{ "IPV4", "IPv4 without a link header" },
	{ "IPV6", "IPv6 without a link header" },
	{ "LINUX_SLL", "Linux cooked, version 1" },
	{ "LINUX_SLL2", "Linux cooked, version 2" },
	{ "PKTAP", "Apple's packets with processes" },
	{ "IEEE802_11", "Wi-Fi" },
	{ "IEEE802_11_RADIO", "Wi-Fi with radiotap header" },
	{ "IEEE802_11_RADIO_AVS", "Wi-Fi with AVS header" },
	{ "PRISM_HEADER", "Wi-Fi with Prism header" },
	{ "IEEE802", "Token Ring" },
	{ "PPP", "point-to-point protocol" },
	{ "PPP_SERIAL", "point-to-point protocol, serial" },
	{ "PPP_ETHER", "PPP over Ethernet" },
	{ "FRELAY", "frame relay" },
	{ "C_HDLC", "Cisco's HDLC" },
	{ "IEEE802_15_4", "802.15.4" },
	{ "USB_LINUX_MMAPPED", "USB" },
	{ "NFLOG", "Linux netfilter log" },
	{ "PFLOG", "OpenBSD packet filter log" },
};

/* Writes the link type and its meaning: EN10MB (Ethernet). */
static const char *describe_link_type(char *to, size_t room, const char *name)
{
	for (size_t i = 0; i < sizeof link_types / sizeof *link_types; i++) {
		if (strcmp(link_types[i].name, name))
			continue;
		snprintf(to, room, "%s (%s)", name, link_types[i].meaning);
		return to;
	}
	snprintf(to, room, "%s", name);
	return to;
}

bool cli_is_generated(const struct bpe_options *o)
{
	const char *name = o->interface_name;

	return name && (!strcmp(name, "synth") || !strncmp(name, "synth:", 6));
}

/* Returns whether the promiscuous mode may show packets for other hosts. */
static bool has_promiscuous_mode(const struct bpe_options *o)
{
	static const char *const without[] = { "lo", "lo0", "any", "pktap", "if:lo", "if:lo0" };

	for (size_t i = 0; i < sizeof without / sizeof *without; i++)
		if (!strcmp(o->interface_name, without[i]))
			return false;
	return !cli_is_generated(o);
}

/* Returns the words of the promiscuous mode. */
static const char *promiscuous_words(const struct bpe_options *o)
{
	if (!o->interface_name || !has_promiscuous_mode(o))
		return "";
	if (o->promiscuous)
		return ", promiscuous";
	return ", not promiscuous (--promiscuous sees what is not for this host)";
}

/* Returns the advice to print packets, for a person at a terminal. */
static const char *print_advice(const struct cli *c)
{
	const bool has_output = c->print.form || c->json || c->flows_path || c->events_path;

	return isatty(STDERR_FILENO) && !has_output ? " (--print shows packets)" : "";
}

void cli_first_line(const struct cli *c, const struct bpe_engine *engine)
{
	const struct bpe_options *o = &c->engine;
	const char *verb = "listening on";
	const char *name = o->interface_name;
	char link[96], source[600], length[64], names[300];

	if (c->quiet || c->top)
		return;
	length[0] = 0;
	if (o->interface_name || o->snaplen < BPE_MAX_SNAPLEN)
		snprintf(length, sizeof length, ", snap length %u bytes", o->snaplen);
	if (!name) {
		verb = "reading from";
		name = strcmp(o->file, "-") ? o->file : "the standard input";
	} else if (cli_is_generated(o)) {
		verb = "generating";
		name = bpe_engine_source(engine);
	}
	if (cli_has_several(c)) {
		program_tell("%s %s%s%s%s", verb,
			program_visible(
				source, sizeof source, cli_sources_text(c, names, sizeof names)),
			length, promiscuous_words(o), print_advice(c));
		return;
	}
	program_tell("%s %s, link type %s%s%s%s", verb,
		program_visible(source, sizeof source, name),
		describe_link_type(link, sizeof link, bpe_engine_link_type(engine)), length,
		promiscuous_words(o), print_advice(c));
}
