/* SPDX-License-Identifier: MIT */
/* Parts of an event's line that several formats write.  Pure. */
#include "format/events.h"

#include "names/names.h"

const char *bpe_event_kind_name(int kind)
{
	static const char *const names[BPE_EVENT_COUNT] = { [0] = NULL,
		[BPE_EVENT_DNS] = "dns",
		[BPE_EVENT_TLS] = "tls",
		[BPE_EVENT_QUIC] = "quic",
		[BPE_EVENT_HTTP] = "http",
		[BPE_EVENT_SSH] = "ssh" };

	return kind > 0 && kind < BPE_EVENT_COUNT ? names[kind] : NULL;
}

void bpei_event_write_dns_type(
	struct bpei_writer *w, const char *name, const char *unknown, uint16_t type)
{
	const char *known = bpei_dns_type_name(type);

	bpei_write_string(w, name);
	if (known)
		bpei_write_string(w, known);
	else
		bpei_write_member(w, unknown, type);
	bpei_write_char(w, '"');
}

void bpei_event_write_rcode(
	struct bpei_writer *w, const char *name, const char *unknown, uint8_t rcode)
{
	const char *known = bpei_dns_rcode_name(rcode);

	bpei_write_string(w, name);
	if (known)
		bpei_write_string(w, known);
	else
		bpei_write_member(w, unknown, rcode);
	bpei_write_char(w, '"');
}

void bpei_event_write_text(struct bpei_writer *w, const char *name, const char *text, size_t most)
{
	if (!most || !text[0])
		return;
	bpei_write_string(w, name);
	bpei_write_json(w, text, most);
}

void bpei_event_write_dns_flags(struct bpei_writer *w, const char *name, uint16_t flags)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = { { BPEI_DNS_AA, "AA" }, { BPEI_DNS_TC, "TC" }, { BPEI_DNS_RD, "RD" },
		{ BPEI_DNS_RA, "RA" }, { BPEI_DNS_AD, "AD" }, { BPEI_DNS_CD, "CD" } };
	const char *before = "[\"";

	bpei_write_string(w, name);
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		if (!(flags & names[k].bit))
			continue;
		bpei_write_quoted(w, before, names[k].name);
		before = ",\"";
	}
	if (before[0] == '[')
		bpei_write_char(w, '[');
	bpei_write_char(w, ']');
}

struct bpei_ssh_version bpei_event_ssh_version(const char *banner, size_t most)
{
	struct bpei_ssh_version version = { NULL, NULL, 0, 0 };
	const size_t n = strnlen(banner, most);
	const char *const end = banner + n;

	if (n < 4 || memcmp(banner, "SSH-", 4) != 0)
		return version;
	const char *dash = memchr(banner + 4, '-', n - 4);

	if (!dash)
		return version;
	const char *space = memchr(dash, ' ', (size_t)(end - dash));

	version.proto = banner + 4;
	version.proto_bytes = (size_t)(dash - version.proto);
	version.software = dash + 1;
	version.software_bytes = (size_t)((space ? space : end) - version.software);
	return version;
}
