/* SPDX-License-Identifier: MIT */
/* The names of a flow as members of a line (names_text.h).  Pure. */
#include "format/names_text.h"

#include "names/names.h"

static const char *const member_names[BPEI_NAMED_COUNT] = { "app", "name", "name_source",
	"name_others", "name_others_count", "name_age", "name_ttl", "client_name", "alpn",
	"tls_version", "tls_cipher", "server_hello", "ech", "ja4", "ja3", "subject", "issuer",
	"quic_version", "http_method", "http_status", "hassh", "hassh_server", "ssh_client",
	"ssh_server", "owner", "uid", "container", "app_inner", "names_cut" };

static void set_text(struct bpei_member *m, const char *text, size_t most)
{
	if (!text[0])
		return;
	m->value = BPEI_VALUE_TEXT;
	m->text = text;
	m->most = most;
}

/* Sets a word of the engine's own; NULL and "": unknown. */
static void set_word(struct bpei_member *m, const char *word)
{
	if (!word || !word[0])
		return;
	m->value = BPEI_VALUE_WORD;
	m->text = word;
	m->most = strlen(word);
}

static void set_number(struct bpei_member *m, bool is_known, uint64_t number)
{
	if (!is_known)
		return;
	m->value = BPEI_VALUE_NUMBER;
	m->number = number;
}

static void set_seconds(struct bpei_member *m, bool is_known, int64_t ns)
{
	set_number(m, is_known, (uint64_t)ns);
	if (is_known)
		m->value = BPEI_VALUE_SECONDS;
}

static void set_true(struct bpei_member *m, bool is_true)
{
	if (is_true)
		m->value = BPEI_VALUE_TRUE;
}

/* Sets a number by its name, or as 0x1399 with `digits` digits; 0: unknown. */
static void set_code(struct bpei_member *m, const char *name, uint32_t number, int digits)
{
	if (!number)
		return;
	if (!name) {
		m->room[0] = '0';
		m->room[1] = 'x';
		for (int i = 0; i < digits; i++)
			m->room[2 + i] = "0123456789abcdef"[number >> 4 * (digits - 1 - i) & 15];
		name = m->room;
	}
	set_word(m, name);
}

/* Sets where the name comes from, and what else the address is called. */
static void set_name(struct bpei_member *m, const struct bpe_flow_names *n)
{
	const bool is_dns = n->source == BPE_NAME_DNS || n->source == BPE_NAME_MDNS;

	set_text(&m[BPEI_NAMED_NAME], n->server, sizeof n->server);
	set_word(&m[BPEI_NAMED_SOURCE], bpe_name_source_name(n->source));
	set_text(&m[BPEI_NAMED_OTHERS], n->others, sizeof n->others);
	if (n->others[0])
		m[BPEI_NAMED_OTHERS].value = BPEI_VALUE_LIST;
	set_number(&m[BPEI_NAMED_OTHERS_COUNT], n->others_count, n->others_count);
	set_seconds(&m[BPEI_NAMED_AGE], is_dns, n->age_ns);
	set_seconds(&m[BPEI_NAMED_TTL], is_dns && n->ttl_ns, n->ttl_ns);
	set_text(&m[BPEI_NAMED_CLIENT], n->client, sizeof n->client);
}

/* Sets the members of TLS and QUIC. */
static void set_tls(struct bpei_member *m, const struct bpe_flow_names *n)
{
	set_text(&m[BPEI_NAMED_ALPN], n->alpn, sizeof n->alpn);
	set_code(&m[BPEI_NAMED_TLS_VERSION], bpei_tls_version_name(n->tls_version), n->tls_version,
		4);
	set_code(&m[BPEI_NAMED_TLS_CIPHER], bpei_tls_cipher_name(n->tls_cipher), n->tls_cipher, 4);
	set_true(&m[BPEI_NAMED_SERVER_HELLO], n->flags & BPE_NAMED_SERVER);
	if (n->flags & BPE_NAMED_ECH)
		set_word(&m[BPEI_NAMED_HELLO_ECH], "offered");
	if (n->flags & BPE_NAMED_OUTER)
		set_word(&m[BPEI_NAMED_HELLO_ECH], "outer");
	set_text(&m[BPEI_NAMED_JA4], n->ja4, sizeof n->ja4);
	set_text(&m[BPEI_NAMED_JA3], n->ja3, sizeof n->ja3);
	set_text(&m[BPEI_NAMED_SUBJECT], n->subject, sizeof n->subject);
	set_text(&m[BPEI_NAMED_ISSUER], n->issuer, sizeof n->issuer);
	set_code(&m[BPEI_NAMED_QUIC_VERSION], bpei_quic_version_name(n->quic_version),
		n->quic_version, 8);
}

/* Sets the members of HTTP and SSH. */
static void set_http_and_ssh(struct bpei_member *m, const struct bpe_flow_names *n)
{
	set_text(&m[BPEI_NAMED_METHOD], n->method, sizeof n->method);
	set_number(&m[BPEI_NAMED_STATUS], n->http_status, n->http_status);
	set_text(&m[BPEI_NAMED_HASSH], n->hassh[0], sizeof n->hassh[0]);
	set_text(&m[BPEI_NAMED_HASSH_SERVER], n->hassh[1], sizeof n->hassh[1]);
	set_text(&m[BPEI_NAMED_SSH_CLIENT], n->banner[0], sizeof n->banner[0]);
	set_text(&m[BPEI_NAMED_SSH_SERVER], n->banner[1], sizeof n->banner[1]);
}

void bpei_names_members(const struct bpe_flow *f, struct bpei_member m[BPEI_NAMED_COUNT])
{
	const struct bpe_flow_names *n = &f->names;

	for (int k = 0; k < BPEI_NAMED_COUNT; k++)
		m[k] = (struct bpei_member){ .name = member_names[k] };
	set_word(&m[BPEI_NAMED_APP], bpe_app_name(n->app));
	set_name(m, n);
	set_tls(m, n);
	set_http_and_ssh(m, n);
	if (n->owner)
		set_word(&m[BPEI_NAMED_OWNER], bpe_owner_name(n->owner));
	set_number(
		&m[BPEI_NAMED_UID], n->owner == BPE_OWNER_KNOWN && n->uid >= 0, (uint64_t)n->uid);
	set_text(&m[BPEI_NAMED_CONTAINER], n->container, sizeof n->container);
	set_true(&m[BPEI_NAMED_APP_INNER], n->flags & BPE_NAMED_INNER);
	set_true(&m[BPEI_NAMED_NAMES_CUT], n->flags & BPE_NAMED_CUT);
}

void bpei_names_write_list(struct bpei_writer *w, const char *list, size_t most)
{
	const char *const end = list + strnlen(list, most);

	bpei_write_char(w, '[');
	for (const char *at = list; at < end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const size_t n = (size_t)((comma ? comma : end) - at);

		if (at > list)
			bpei_write_char(w, ',');
		bpei_write_json(w, at, n);
		at += n + 1;
	}
	bpei_write_char(w, ']');
}

void bpei_names_write_cipher(struct bpei_writer *w, const char *name, uint16_t cipher)
{
	struct bpei_member m = { .name = "" };

	set_code(&m, bpei_tls_cipher_name(cipher), cipher, 4);
	if (m.value)
		bpei_write_quoted(w, name, m.text);
}

/* Writes a member's value as JSON. */
static void write_member_value(struct bpei_writer *w, const struct bpei_member *m)
{
	switch (m->value) {
	case BPEI_VALUE_TEXT:
		bpei_write_json(w, m->text, m->most);
		return;
	case BPEI_VALUE_WORD:
		bpei_write_quoted(w, "\"", m->text);
		return;
	case BPEI_VALUE_NUMBER:
		bpei_write_number(w, m->number);
		return;
	case BPEI_VALUE_SECONDS:
		bpei_write_seconds(w, (int64_t)m->number, 9);
		return;
	case BPEI_VALUE_LIST:
		bpei_names_write_list(w, m->text, m->most);
		return;
	default:
		BPEI_WRITE(w, "true");
	}
}

void bpei_names_write(struct bpei_writer *w, const struct bpe_flow *flow, uint32_t without)
{
	struct bpei_member members[BPEI_NAMED_COUNT];

	bpei_names_members(flow, members);
	for (uint32_t k = 0; k < BPEI_NAMED_COUNT; k++) {
		if (!members[k].value || without >> k & 1)
			continue;
		BPEI_WRITE(w, ",\"");
		bpei_write_string(w, members[k].name);
		BPEI_WRITE(w, "\":");
		write_member_value(w, &members[k]);
	}
}

void bpei_names_write_csv(struct bpei_writer *w, const struct bpe_flow *flow)
{
	struct bpei_member members[BPEI_NAMED_COUNT];

	bpei_names_members(flow, members);
	for (uint32_t k = 0; k < BPEI_NAMED_COUNT; k++) {
		const struct bpei_member *m = &members[k];

		bpei_write_char(w, ',');
		if (m->value == BPEI_VALUE_TEXT || m->value == BPEI_VALUE_LIST)
			bpei_write_csv(w, m->text, m->most);
		else if (m->value == BPEI_VALUE_WORD)
			bpei_write_string(w, m->text);
		else if (m->value)
			write_member_value(w, m);
	}
}

void bpei_names_write_columns(struct bpei_writer *w)
{
	for (uint32_t k = 0; k < BPEI_NAMED_COUNT; k++) {
		bpei_write_char(w, ',');
		bpei_write_string(w, member_names[k]);
	}
}

bool bpei_names_have_tls(const struct bpe_flow *f)
{
	const struct bpe_flow_names *n = &f->names;

	return n->ja4[0] || n->tls_version || n->tls_cipher || n->subject[0] || n->alpn[0];
}
