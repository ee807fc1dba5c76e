/* SPDX-License-Identifier: MIT */
/* Events by the names and types of Zeek's dns.log, ssl.log, quic.log, http.log and ssh.log as JSON
 * (scripts/base/protocols).  ja3, ja4 and hassh are members by Zeek's packages of these names.
 *
 * The member _path names the log, as in Zeek's streaming of logs.  uid is the uid of conn.log.  A
 * query and its answer are a line, as in Zeek, and ts is the query's time.  Pure.
 * Left out, since events do not have them: rejected of dns.log; curve, resumed and established of
 * ssl.log; connection ids of quic.log.  Also left out: uri, version, user agent and lengths of
 * http.log; attempts and algorithms of ssh.log. */
#include "format/events.h"
#include "names/names.h"

static void write_zeek_log(struct bpei_writer *w, const struct bpe_event *e, const char *path)
{
	int64_t ns = e->time_ns;

	if (e->dns && e->dns->rtt_ns > 0)
		ns -= e->dns->rtt_ns;
	bpei_write_quoted(w, "{\"_path\":\"", path);
	BPEI_WRITE(w, ",\"ts\":");
	bpei_write_seconds(w, ns, 6);
	bpei_zeek_write_ends(w, e->flow);
}

static void write_zeek_bool(struct bpei_writer *w, const char *name, bool is_true)
{
	bpei_write_string(w, name);
	bpei_write_string(w, is_true ? "true" : "false");
}

/* Returns what Zeek writes of an answer: the name alone of records that have numbers before it. */
static const char *zeek_answer(const struct bpe_dns_answer *a)
{
	const char *text = a->text;
	int words = 0;

	if (a->type == 15) /* MX */
		words = 1;
	if (a->type == 33) /* SRV */
		words = 3;
	for (; words; words--) {
		const char *space = memchr(text, ' ', strnlen(text, sizeof a->text - 1));

		if (!space)
			return a->text;
		text = space + 1;
	}
	return text;
}

static void write_zeek_answers(struct bpei_writer *w, const struct bpe_dns *d)
{
	const uint32_t n = d->answer_count < BPE_DNS_ANSWERS ? d->answer_count : BPE_DNS_ANSWERS;

	if (!n)
		return;
	for (uint32_t k = 0; k < n; k++) {
		const struct bpe_dns_answer *a = &d->answers[k];
		const char *text = zeek_answer(a);

		bpei_write_string(w, k ? "," : ",\"answers\":[");
		bpei_write_json(w, text, sizeof a->text - (size_t)(text - a->text));
	}
	for (uint32_t k = 0; k < n; k++) {
		bpei_write_member(w, k ? "," : "],\"TTLs\":[", d->answers[k].ttl);
		BPEI_WRITE(w, ".0");
	}
	bpei_write_char(w, ']');
}

/* Writes the members of dns.log. */
static void write_zeek_dns(struct bpei_writer *w, const struct bpe_dns *d)
{
	const char *class_ = bpei_dns_class_name(d->class_);

	bpei_write_member(w, ",\"trans_id\":", d->id);
	if (d->rtt_ns >= 0) {
		BPEI_WRITE(w, ",\"rtt\":");
		bpei_write_seconds(w, d->rtt_ns, 6);
	}
	bpei_event_write_text(w, ",\"query\":", d->query, sizeof d->query);
	bpei_write_member(w, ",\"qclass\":", d->class_);
	if (d->class_ == 1)
		BPEI_WRITE(w, ",\"qclass_name\":\"C_INTERNET\"");
	else if (d->class_ == 3)
		BPEI_WRITE(w, ",\"qclass_name\":\"C_CHAOS\"");
	else if (class_ && d->class_ != 4)
		bpei_write_quoted(w, ",\"qclass_name\":\"C_", class_);
	bpei_write_member(w, ",\"qtype\":", d->type);
	if (d->type == 255)
		BPEI_WRITE(w, ",\"qtype_name\":\"*\"");
	else
		bpei_event_write_dns_type(w, ",\"qtype_name\":\"", "query-", d->type);
	if (d->seen & BPE_DNS_ANSWER) {
		bpei_write_member(w, ",\"rcode\":", d->rcode);
		bpei_event_write_rcode(w, ",\"rcode_name\":\"", "rcode-", d->rcode);
	}
	write_zeek_bool(w, ",\"AA\":", d->flags & BPEI_DNS_AA);
	write_zeek_bool(w, ",\"TC\":", d->flags & BPEI_DNS_TC);
	write_zeek_bool(w, ",\"RD\":", d->flags & BPEI_DNS_RD);
	write_zeek_bool(w, ",\"RA\":", d->flags & BPEI_DNS_RA);
	bpei_write_member(w, ",\"Z\":", d->flags >> 4 & 7u);
	write_zeek_answers(w, d);
}

/* Returns Zeek's name of a version, or NULL. */
static const char *zeek_tls_version(uint16_t version)
{
	switch (version) {
	case 0x0002:
		return "SSLv2";
	case 0x0300:
		return "SSLv3";
	case 0x0301:
		return "TLSv10";
	case 0x0302:
		return "TLSv11";
	case 0x0303:
		return "TLSv12";
	case 0x0304:
		return "TLSv13";
	case 0xfeff:
		return "DTLSv10";
	case 0xfefd:
		return "DTLSv12";
	case 0xfefc:
		return "DTLSv13";
	default:
		return NULL;
	}
}

/* Writes the members of ssl.log.  Zeek has version and cipher of the server's hello only. */
static void write_zeek_ssl(struct bpei_writer *w, const struct bpe_flow_names *n)
{
	const char *version = zeek_tls_version(n->tls_version);
	const bool is_answered = n->flags & BPE_NAMED_SERVER;

	if (is_answered && version)
		bpei_write_quoted(w, ",\"version\":\"", version);
	bpei_names_write_cipher(w, ",\"cipher\":\"", n->tls_cipher);
	if (n->source == BPE_NAME_TLS)
		bpei_event_write_text(w, ",\"server_name\":", n->server, sizeof n->server);
	if (is_answered)
		bpei_event_write_text(w, ",\"next_protocol\":", n->alpn, sizeof n->alpn);
	bpei_event_write_text(w, ",\"subject\":", n->subject, sizeof n->subject);
	bpei_event_write_text(w, ",\"issuer\":", n->issuer, sizeof n->issuer);
	bpei_event_write_text(w, ",\"ja3\":", n->ja3, sizeof n->ja3);
	bpei_event_write_text(w, ",\"ja4\":", n->ja4, sizeof n->ja4);
}

/* Writes the members of quic.log. */
static void write_zeek_quic(struct bpei_writer *w, const struct bpe_flow_names *n)
{
	const char *name = bpei_quic_version_name(n->quic_version);
	const char *comma = memchr(n->alpn, ',', sizeof n->alpn);
	const size_t first = comma ? (size_t)(comma - n->alpn) : sizeof n->alpn;

	if (n->quic_version == 0x6b3343cf)
		name = "quicv2";
	if (name)
		bpei_write_quoted(w, ",\"version\":\"", name);
	if (n->source == BPE_NAME_QUIC)
		bpei_event_write_text(w, ",\"server_name\":", n->server, sizeof n->server);
	bpei_event_write_text(w, ",\"client_protocol\":", n->alpn, first);
	bpei_event_write_text(w, ",\"ja3\":", n->ja3, sizeof n->ja3);
	bpei_event_write_text(w, ",\"ja4\":", n->ja4, sizeof n->ja4);
}

/* Writes the members of http.log. */
static void write_zeek_http(struct bpei_writer *w, const struct bpe_flow_names *n)
{
	BPEI_WRITE(w, ",\"trans_depth\":1");
	bpei_event_write_text(w, ",\"method\":", n->method, sizeof n->method);
	if (n->source == BPE_NAME_HTTP)
		bpei_event_write_text(w, ",\"host\":", n->server, sizeof n->server);
	if (n->http_status)
		bpei_write_member(w, ",\"status_code\":", n->http_status);
}

/* Writes the members of ssh.log. */
static void write_zeek_ssh(struct bpei_writer *w, const struct bpe_flow_names *n)
{
	const struct bpei_ssh_version client =
		bpei_event_ssh_version(n->banner[0], sizeof n->banner[0]);
	const struct bpei_ssh_version server =
		bpei_event_ssh_version(n->banner[1], sizeof n->banner[1]);
	const struct bpei_ssh_version *known = client.proto ? &client : &server;

	if (known->proto) {
		const bool is_first =
			known->proto[0] == '1' && memcmp(known->proto, "1.99", 4) != 0;

		bpei_write_member(w, ",\"version\":", is_first ? 1 : 2);
	}
	bpei_event_write_text(w, ",\"client\":", n->banner[0], sizeof n->banner[0]);
	bpei_event_write_text(w, ",\"server\":", n->banner[1], sizeof n->banner[1]);
	bpei_event_write_text(w, ",\"hassh\":", n->hassh[0], sizeof n->hassh[0]);
	bpei_event_write_text(w, ",\"hasshServer\":", n->hassh[1], sizeof n->hassh[1]);
}

void bpei_event_zeek(struct bpei_writer *w, const struct bpe_event *e)
{
	const struct bpe_flow_names *n = &e->flow->names;
	static const char *const paths[BPE_EVENT_COUNT] = { [0] = NULL,
		[BPE_EVENT_DNS] = "dns",
		[BPE_EVENT_TLS] = "ssl",
		[BPE_EVENT_QUIC] = "quic",
		[BPE_EVENT_HTTP] = "http",
		[BPE_EVENT_SSH] = "ssh" };

	write_zeek_log(w, e, paths[e->kind]);
	switch (e->kind) {
	case BPE_EVENT_DNS:
		write_zeek_dns(w, e->dns);
		break;
	case BPE_EVENT_TLS:
		write_zeek_ssl(w, n);
		break;
	case BPE_EVENT_QUIC:
		write_zeek_quic(w, n);
		break;
	case BPE_EVENT_HTTP:
		write_zeek_http(w, n);
		break;
	default:
		write_zeek_ssh(w, n);
	}
	/* from here on the members are not Zeek's */
	bpei_zeek_write_process(w, e->flow);
	bpei_event_write_text(w, ",\"client_name\":", n->client, sizeof n->client);
	bpei_write_char(w, '}');
}
