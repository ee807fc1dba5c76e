/* SPDX-License-Identifier: MIT */
/* Reads the words of a target of IPFIX or NetFlow (sink_settings.h); pure. */
#include "sink_settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	PORT_IPFIX = 4739,
	PORT_IPFIX_TLS = 4740,
	PORT_NETFLOW = 2055,
	V5_BYTES = 24 + 30 * 48, /* a full message of NetFlow v5 */
	TEMPLATES_S = 60,
	OPTIONS_S = 60,
	TIMEOUT_S = 20,
	DOMAIN = 1,
	/* Records a second over UDP.  nfcapd 1.7.1 with the socket buffer of Linux (212,992 bytes)
	 * took all on a machine with 12 runnable processes a core, and lost 9 % of 200,000. */
	RATE = 50000
};

/* Where the words come from, and where a reason goes. */
struct settings_reader {
	const struct export_address *address;
	char *why;
	size_t room;
};

static int refuse_words(const struct settings_reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes the reason.  Returns -1. */
static int refuse_words(const struct settings_reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->why, r->room, format, args);
	va_end(args);
	return -1;
}

/* Reads a word out of a list, which NULL ends.  Returns 0 with the index, or -1. */
static int match_word(const struct settings_reader *r, const char *name, const char *const *words,
	uint32_t *index)
{
	const char *value = export_parameter(r->address, name, words[0]);
	char known[120] = "";

	for (uint32_t k = 0; words[k]; k++) {
		if (!strcmp(value, words[k])) {
			*index = k;
			return 0;
		}
		snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k ? "|" : "",
			words[k]);
	}
	return refuse_words(r, "%s=%s is not known: write %s=%s", name, value, name, known);
}

/* Reads 0 or 1.  Returns 0 or -1. */
static int read_switch(const struct settings_reader *r, const char *name, bool *is_on)
{
	uint64_t value = *is_on;
	const int failed = export_number(r->address, name, 0, 1, &value, r->why, r->room);

	*is_on = value;
	return failed;
}

/* ---- The collector ---- */

/* Reads TLS's parameters.  Returns 0 or -1. */
static int read_tls_words(struct sink_settings *s, const struct settings_reader *r)
{
	static const char *const names[] = { "ca", "cert", "key", "name", "verify" };
	struct transport_settings *const t = &s->transport;
	const char *missing = transport_tls_missing();

	t->ca = export_parameter(r->address, "ca", "");
	t->cert = export_parameter(r->address, "cert", "");
	t->key = export_parameter(r->address, "key", "");
	t->name = export_parameter(r->address, "name", "");
	t->verify = true;
	if (read_switch(r, "verify", &t->verify))
		return -1;
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (t->kind != TRANSPORT_TLS && export_parameter(r->address, names[k], NULL))
			return refuse_words(r, "%s is for TLS: add transport=tls", names[k]);
	if (t->kind != TRANSPORT_TLS)
		return 0;
	if (missing)
		return refuse_words(r, "%s", missing);
	if (*t->key && !*t->cert)
		return refuse_words(r, "key=FILE needs the certificate, too: add cert=FILE");
	if (!t->verify && *t->ca)
		return refuse_words(r, "ca=FILE verifies the collector: leave verify=0 out");
	return 0;
}

/* Reads the host, the port and the transport.  Returns 0 or -1. */
static int read_collector(struct sink_settings *s, const struct settings_reader *r, bool is_ipfix)
{
	static const char *const words[] = { "udp", "tcp", "tls", NULL };
	struct transport_settings *const t = &s->transport;
	const struct export_address *const a = r->address;
	uint32_t kind = TRANSPORT_UDP;

	if (is_ipfix && match_word(r, "transport", words, &kind))
		return -1;
	t->kind = (enum transport_kind)kind;
	if (!*a->hosts && !is_ipfix)
		return refuse_words(r, "%s goes to a host: write %s://HOST", a->scheme, a->scheme);
	if (!*a->hosts) {
		if (export_parameter(a, "transport", NULL))
			return refuse_words(
				r, "a file has no transport: leave it out, or write ipfix://HOST");
		t->kind = TRANSPORT_FILE;
		t->path = a->path;
		return 0;
	}
	if (*a->path)
		return refuse_words(
			r, "nothing may follow the host but ?: write %s://%s", a->scheme, a->hosts);
	if (strchr(a->hosts, ','))
		return refuse_words(
			r, "one collector a target: give --export again for another collector");
	uint16_t port = is_ipfix ? PORT_IPFIX : PORT_NETFLOW;

	if (t->kind == TRANSPORT_TLS)
		port = PORT_IPFIX_TLS;
	return export_host_split(a->hosts, port, t->host, &t->port, r->why, r->room);
}

/* Reads sizes and times of the transport.  Returns 0 or -1. */
static int read_limits(struct sink_settings *s, const struct settings_reader *r)
{
	struct transport_settings *const t = &s->transport;
	uint64_t mtu = TRANSPORT_MTU;
	uint64_t timeout_s = TIMEOUT_S;

	s->templates_s = TEMPLATES_S;
	s->options_s = OPTIONS_S;
	t->rate = t->kind == TRANSPORT_UDP ? RATE : 0;
	if (export_number(r->address, "mtu", TRANSPORT_MTU_LEAST, TRANSPORT_MTU_MOST, &mtu, r->why,
		    r->room) ||
		export_number(r->address, "rate", 0, 1000000000, &t->rate, r->why, r->room) ||
		export_number(r->address, "timeout", 1, 3600, &timeout_s, r->why, r->room) ||
		export_number(r->address, "template", 1, 86400, &s->templates_s, r->why, r->room) ||
		export_number(r->address, "options", 0, 86400, &s->options_s, r->why, r->room))
		return -1;
	s->config.without_options = !s->options_s;
	t->timeout_ms = (uint32_t)timeout_s * 1000;
	if (t->kind == TRANSPORT_UDP) {
		t->message_most = (uint32_t)mtu;
		if (!export_parameter(r->address, "timeout", NULL))
			return 0;
		return refuse_words(r, "timeout is for transport=tcp and tls");
	}
	static const char *const names[] = { "mtu", "rate", "template" };

	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (export_parameter(r->address, names[k], NULL))
			return refuse_words(r, "%s is for transport=udp: leave it out", names[k]);
	t->message_most = TRANSPORT_STREAM_BYTES;
	return 0;
}

/* ---- The records ---- */

/* Reads the words of IPFIX alone.  Returns 0 or -1. */
static int read_ipfix(struct ipfix_config *c, const struct settings_reader *r)
{
	static const char *const times[] = { "ms", "ns", NULL };
	const char *profile = export_parameter(r->address, "profile", "plain");
	uint32_t is_ns = 0;
	uint64_t pen = 0;
	const int found = ipfix_profile_find(profile);

	if (found < 0)
		return refuse_words(
			r, "profile=%s is not known: write profile=plain|ntop|cesnet|own", profile);
	c->profile = (uint32_t)found;
	if (read_switch(r, "biflow", &c->is_biflow) || match_word(r, "times", times, &is_ns) ||
		export_number(r->address, "pen", 1, UINT32_MAX, &pen, r->why, r->room))
		return -1;
	c->is_ns = is_ns;
	c->pen = (uint32_t)pen;
	return 0;
}

int sink_settings_read(struct sink_settings *s, uint32_t version,
	const struct export_address *address, char *why, size_t room)
{
	static const char *const ipfix[] = { "transport", "profile", "biflow", "times", "pen",
		"domain", "mtu", "rate", "template", "options", "timeout", "ca", "cert", "key",
		"name", "verify", NULL };
	static const char *const netflow9[] = { "domain", "mtu", "rate", "template", "options",
		NULL };
	static const char *const netflow5[] = { "domain", "rate", NULL };
	const struct settings_reader r = { address, why, room };
	const bool is_ipfix = version == IPFIX_IPFIX;
	const char *const *names = is_ipfix ? ipfix : netflow9;
	uint64_t domain = DOMAIN;

	memset(s, 0, sizeof *s);
	s->config.version = version;
	if (version == IPFIX_NETFLOW5)
		names = netflow5;
	if (export_parameters_check(address, names, why, room))
		return -1;
	if (read_collector(s, &r, is_ipfix) || read_limits(s, &r) || read_tls_words(s, &r))
		return -1;
	const uint64_t most = version == IPFIX_NETFLOW5 ? UINT8_MAX : UINT32_MAX;

	if (export_number(address, "domain", 0, most, &domain, why, room))
		return -1;
	s->config.domain = (uint32_t)domain;
	if (is_ipfix && read_ipfix(&s->config, &r))
		return -1;
	s->transport.sequence_at = is_ipfix ? 8 : 12;
	if (version == IPFIX_NETFLOW5) {
		s->transport.sequence_at = 16;
		s->transport.message_most = V5_BYTES;
	}
	s->transport.counts_messages = version == IPFIX_NETFLOW9;
	return 0;
}
