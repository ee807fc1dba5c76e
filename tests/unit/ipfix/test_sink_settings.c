/* SPDX-License-Identifier: MIT */
/* Reads targets of IPFIX and NetFlow: defaults, all parameters, and advice for wrong words. */
#include "tools/ipfix/sink_settings.h"

#include <criterion/criterion.h>
#include <string.h>

static struct sink_settings s;
static char why[256];

static int read_collector_words(uint32_t version, const char *text)
{
	static struct export_address address;

	cr_assert_eq(export_address_read(&address, text, why, sizeof why), 0, "%s", why);
	return sink_settings_read(&s, version, &address, why, sizeof why);
}

Test(sink_settings, defaults)
{
	cr_assert_eq(read_collector_words(IPFIX_IPFIX, "ipfix://collector"), 0, "%s", why);
	cr_assert_str_eq(s.transport.host, "collector");
	cr_assert_eq(s.transport.port, 4739);
	cr_assert_eq(s.transport.kind, TRANSPORT_UDP);
	cr_assert_eq(s.transport.message_most, 1400);
	cr_assert_eq(s.transport.sequence_at, 8);
	cr_assert(!s.transport.counts_messages);
	cr_assert(s.transport.verify);
	cr_assert_eq(s.templates_s, 60);
	cr_assert_eq(s.transport.rate, 50000);
	cr_assert_eq(s.config.domain, 1);
	cr_assert_eq(s.config.profile, IPFIX_PLAIN);
	cr_assert(!s.config.is_biflow && !s.config.is_ns);
	cr_assert_eq(read_collector_words(IPFIX_NETFLOW9, "netflow9://[::1]"), 0, "%s", why);
	cr_assert_str_eq(s.transport.host, "::1");
	cr_assert_eq(s.transport.port, 2055);
	cr_assert_eq(s.transport.sequence_at, 12);
	cr_assert(s.transport.counts_messages);
	cr_assert_eq(read_collector_words(IPFIX_NETFLOW5, "netflow5://c:9995"), 0, "%s", why);
	cr_assert_eq(s.transport.port, 9995);
	cr_assert_eq(s.transport.sequence_at, 16);
	cr_assert_eq(s.transport.message_most, 1464);
	cr_assert_eq(read_collector_words(IPFIX_IPFIX, "ipfix:flows.ipfix?biflow=1"), 0, "%s", why);
	cr_assert_eq(s.transport.kind, TRANSPORT_FILE);
	cr_assert_str_eq(s.transport.path, "flows.ipfix");
}

Test(sink_settings, parameters)
{
	cr_assert_eq(read_collector_words(IPFIX_IPFIX,
			     "ipfix://c:1?mtu=9000&rate=5&domain=7&template=10&times=ns&biflow=1"
			     "&profile=ntop"),
		0, "%s", why);
	cr_assert_eq(s.transport.message_most, 9000);
	cr_assert_eq(s.transport.rate, 5);
	cr_assert_eq(s.templates_s, 10);
	cr_assert_eq(s.config.domain, 7);
	cr_assert_eq(s.config.profile, IPFIX_NTOP);
	cr_assert(s.config.is_biflow && s.config.is_ns);
	cr_assert_eq(read_collector_words(IPFIX_IPFIX,
			     "ipfix://c?transport=tcp&timeout=3&pen=32473&profile=own"),
		0, "%s", why);
	cr_assert_eq(s.transport.kind, TRANSPORT_TCP);
	cr_assert_eq(s.transport.timeout_ms, 3000);
	cr_assert_eq(s.config.pen, 32473);
}

/* Refuses each, with a reason that has the second word. */
Test(sink_settings, refusals)
{
	static const struct {
		uint32_t version;
		const char *text, *reason;
	} cases[] = {
		{ IPFIX_IPFIX, "ipfix://c?transport=sctp", "udp|tcp|tls" },
		{ IPFIX_IPFIX, "ipfix://c?mtu=100", "1200" },
		{ IPFIX_IPFIX, "ipfix://c?transport=tcp&mtu=1400", "transport=udp" },
		{ IPFIX_IPFIX, "ipfix://c?transport=tcp&rate=10", "transport=udp" },
		{ IPFIX_IPFIX, "ipfix://c?timeout=10", "transport=tcp" },
		{ IPFIX_IPFIX, "ipfix://c?ca=x.pem", "transport=tls" },
		{ IPFIX_IPFIX, "ipfix://c?transport=tls", "-Dtls=enabled" },
		{ IPFIX_IPFIX, "ipfix://c?profile=cisco", "plain|ntop|cesnet|own" },
		{ IPFIX_IPFIX, "ipfix://c?biflow=yes", "biflow" },
		{ IPFIX_IPFIX, "ipfix://c?times=us", "ms|ns" },
		{ IPFIX_IPFIX, "ipfix://c?colour=red", "colour" },
		{ IPFIX_IPFIX, "ipfix://c/path", "nothing may follow" },
		{ IPFIX_IPFIX, "ipfix://a,b", "--export again" },
		{ IPFIX_IPFIX, "ipfix:file?transport=udp", "a file has no transport" },
		{ IPFIX_NETFLOW9, "netflow9:file", "netflow9://HOST" },
		{ IPFIX_NETFLOW9, "netflow9://c?biflow=1", "biflow" },
		{ IPFIX_NETFLOW5, "netflow5://c?domain=256", "255" },
		{ IPFIX_NETFLOW5, "netflow5://c?mtu=1400", "mtu" },
	};

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		cr_assert_eq(read_collector_words(cases[k].version, cases[k].text), -1, "%s",
			cases[k].text);
		cr_assert(strstr(why, cases[k].reason), "%s: %s", cases[k].text, why);
	}
}
