/* SPDX-License-Identifier: MIT */
/* Events as in Suricata's EVE (etc/schema.json and doc/userguide/output/eve of version 8): dns of
 * version 3, tls, quic, http, ssh.  Pure.
 *
 * A DNS event is a response with its query, or a request that was not answered; EVE has a line for
 * each message.  Left out, since events do not have them: tx_id, rrname of answers, the raw JA3
 * text, http's url, user agent, content type and length.  Not EVE's: dns.rtt, process, and
 * bpfengine with what else is known of the names. */
#include "format/events.h"
#include "names/names.h"

static void write_eve_answers(struct bpei_writer *w, const struct bpe_dns *d)
{
	for (uint32_t k = 0; k < d->answer_count && k < BPE_DNS_ANSWERS; k++) {
		const struct bpe_dns_answer *a = &d->answers[k];

		bpei_write_string(w, k ? ",{" : ",\"answers\":[{");
		bpei_event_write_dns_type(w, "\"rrtype\":\"", "", a->type);
		bpei_write_member(w, ",\"ttl\":", a->ttl);
		BPEI_WRITE(w, ",\"rdata\":");
		bpei_write_json(w, a->text, sizeof a->text);
		bpei_write_char(w, '}');
	}
	if (d->answer_count)
		bpei_write_char(w, ']');
}

/* Writes "dns":{}. */
static void write_eve_dns(struct bpei_writer *w, const struct bpe_dns *d)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} flags[] = { { BPEI_DNS_QR, ",\"qr\":true" }, { BPEI_DNS_AA, ",\"aa\":true" },
		{ BPEI_DNS_TC, ",\"tc\":true" }, { BPEI_DNS_RD, ",\"rd\":true" },
		{ BPEI_DNS_RA, ",\"ra\":true" } };
	const bool is_answered = d->seen & BPE_DNS_ANSWER;

	bpei_write_quoted(
		w, ",\"dns\":{\"version\":3,\"type\":\"", is_answered ? "response" : "request");
	bpei_write_member(w, ",\"id\":", d->id);
	if (is_answered) {
		BPEI_WRITE(w, ",\"flags\":\"");
		for (int shift = 12; shift >= 0; shift -= 4)
			bpei_write_char(w, "0123456789abcdef"[d->flags >> shift & 15]);
		bpei_write_char(w, '"');
	}
	for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
		if (d->flags & flags[k].bit)
			bpei_write_string(w, flags[k].name);
	bpei_write_member(w, ",\"opcode\":", d->opcode);
	if (is_answered)
		bpei_event_write_rcode(w, ",\"rcode\":\"", "", d->rcode);
	BPEI_WRITE(w, ",\"queries\":[{\"rrname\":");
	bpei_write_json(w, d->query, sizeof d->query);
	bpei_event_write_dns_type(w, ",\"rrtype\":\"", "", d->type);
	BPEI_WRITE(w, "}]");
	write_eve_answers(w, d);
	if (d->rtt_ns >= 0) {
		BPEI_WRITE(w, ",\"rtt\":");
		bpei_write_seconds(w, d->rtt_ns, 9);
	}
	bpei_write_char(w, '}');
}

/* Returns EVE's name of a version, or NULL. */
static const char *eve_tls_version(uint16_t version)
{
	switch (version) {
	case 0x0002:
		return "SSLv2";
	case 0x0300:
		return "SSLv3";
	case 0x0301:
		return "TLSv1";
	case 0x0302:
		return "TLS 1.1";
	case 0x0303:
		return "TLS 1.2";
	case 0x0304:
		return "TLS 1.3";
	case 0xfeff:
		return "DTLS 1.0";
	case 0xfefd:
		return "DTLS 1.2";
	case 0xfefc:
		return "DTLS 1.3";
	default:
		return NULL;
	}
}

/* Writes the client's fingerprints. */
static void write_eve_fingerprints(struct bpei_writer *w, const struct bpe_flow_names *n)
{
	if (n->ja3[0]) {
		bpei_event_write_text(w, ",\"ja3\":{\"hash\":", n->ja3, sizeof n->ja3);
		bpei_write_char(w, '}');
	}
	bpei_event_write_text(w, ",\"ja4\":", n->ja4, sizeof n->ja4);
}

/* Writes "tls":{}. */
static void write_eve_tls(struct bpei_writer *w, const struct bpe_flow_names *n)
{
	const char *version = eve_tls_version(n->tls_version);
	const struct bpei_object tls = bpei_write_object(w, ",\"tls\":");

	bpei_event_write_text(w, ",\"subject\":", n->subject, sizeof n->subject);
	bpei_event_write_text(w, ",\"issuerdn\":", n->issuer, sizeof n->issuer);
	if (n->source == BPE_NAME_TLS)
		bpei_event_write_text(w, ",\"sni\":", n->server, sizeof n->server);
	if (version)
		bpei_write_quoted(w, ",\"version\":\"", version);
	write_eve_fingerprints(w, n);
	if (n->alpn[0]) {
		bpei_write_string(w,
			n->flags & BPE_NAMED_SERVER ? ",\"server_alpns\":" : ",\"client_alpns\":");
		bpei_names_write_list(w, n->alpn, sizeof n->alpn);
	}
	bpei_write_object_end(w, tls);
}

/* Writes "quic":{}. */
static void write_eve_quic(struct bpei_writer *w, const struct bpe_flow_names *n)
{
	const char *version = bpei_quic_version_name(n->quic_version);
	const struct bpei_object quic = bpei_write_object(w, ",\"quic\":");

	if (version)
		bpei_write_quoted(w, ",\"version\":\"", version);
	if (n->source == BPE_NAME_QUIC)
		bpei_event_write_text(w, ",\"sni\":", n->server, sizeof n->server);
	write_eve_fingerprints(w, n);
	bpei_write_object_end(w, quic);
}

/* Writes "http":{}. */
static void write_eve_http(struct bpei_writer *w, const struct bpe_flow_names *n)
{
	const struct bpei_object http = bpei_write_object(w, ",\"http\":");

	if (n->source == BPE_NAME_HTTP)
		bpei_event_write_text(w, ",\"hostname\":", n->server, sizeof n->server);
	bpei_event_write_text(w, ",\"http_method\":", n->method, sizeof n->method);
	if (n->http_status)
		bpei_write_member(w, ",\"status\":", n->http_status);
	bpei_write_object_end(w, http);
}

/* Writes "ssh":{}. */
static void write_eve_ssh(struct bpei_writer *w, const struct bpe_flow_names *n)
{
	const struct bpei_object ssh = bpei_write_object(w, ",\"ssh\":");

	for (int k = 0; k < 2; k++) {
		const struct bpei_ssh_version version =
			bpei_event_ssh_version(n->banner[k], sizeof n->banner[k]);
		const struct bpei_object end =
			bpei_write_object(w, k ? ",\"server\":" : ",\"client\":");

		if (version.proto) {
			BPEI_WRITE(w, ",\"proto_version\":");
			bpei_write_json(w, version.proto, version.proto_bytes);
			BPEI_WRITE(w, ",\"software_version\":");
			bpei_write_json(w, version.software, version.software_bytes);
		}
		if (n->hassh[k][0]) {
			bpei_event_write_text(
				w, ",\"hassh\":{\"hash\":", n->hassh[k], sizeof n->hassh[k]);
			bpei_write_char(w, '}');
		}
		bpei_write_object_end(w, end);
	}
	bpei_write_object_end(w, ssh);
}

void bpei_event_eve(struct bpei_writer *w, const struct bpe_event *e)
{
	const struct bpe_flow *f = e->flow;
	char community[BPE_COMMUNITY_ID_BYTES];

	bpei_eve_write_head(w, f, e->time_ns, bpe_event_kind_name((int)e->kind));
	if (bpe_flow_community_id(f, 0, community))
		bpei_write_quoted(w, ",\"community_id\":\"", community);
	switch (e->kind) {
	case BPE_EVENT_DNS:
		write_eve_dns(w, e->dns);
		break;
	case BPE_EVENT_TLS:
		write_eve_tls(w, &f->names);
		break;
	case BPE_EVENT_QUIC:
		write_eve_quic(w, &f->names);
		break;
	case BPE_EVENT_HTTP:
		write_eve_http(w, &f->names);
		break;
	default:
		write_eve_ssh(w, &f->names);
	}
	bpei_flow_write_tunnel_object(w, f, "\"src_ip\":\"", "\"dest_ip\":\"", "\"proto\":\"");
	bpei_flow_write_process(w, f);
	const struct bpei_object own = bpei_write_object(w, ",\"bpfengine\":");

	bpei_names_write(w, f, BPEI_NAMED_BIT(APP));
	bpei_write_object_end(w, own);
	bpei_write_char(w, '}');
}
