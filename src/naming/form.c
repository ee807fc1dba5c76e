/* SPDX-License-Identifier: MIT */
/* Names whole, cut to the registered domain, or hashed (form.h).
 *
 * Cut: a name under a rule of the public suffix list keeps its registered domain.  A public suffix
 * stays.  A name under no rule, as of a local host, keeps the last label; a label alone becomes
 * empty.  Addresses stay, since records have addresses.
 * Hashed: SipHash-2-4 of the name in lower case, as 16 hexadecimal digits.  Equal names stay equal
 * under a key. */
#include "naming/form.h"

#include "base/error.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/siphash.h"
#include "naming/suffixes.h"

#include <stdlib.h>
#include <string.h>

#define HASH_TEXT 16u

struct bpei_form {
	struct bpei_suffixes *suffixes; /* NULL: hashed */
	uint64_t key[2];
};

/* Makes the key out of the secret text of the options, or for this run alone. */
static void choose_key(struct bpei_form *form, const char *secret)
{
	char digits[BPEI_SHA256_TEXT];
	struct bpei_sha256 hash;
	bool is_weak;

	if (!secret) {
		form->key[0] = bpei_random_seed(&bpei_random_sys_real, &is_weak);
		form->key[1] = bpei_random_seed(&bpei_random_sys_real, &is_weak);
		return;
	}
	bpei_sha256_init(&hash);
	bpei_sha256_add(&hash, secret, strlen(secret));
	bpei_sha256_text(&hash, digits);
	for (size_t k = 0; k < 32; k++) {
		const char c = digits[k];
		const uint64_t digit = (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);

		form->key[k / 16] = form->key[k / 16] << 4 | digit;
	}
}

int bpei_form_open(
	const struct bpe_options *options, struct bpei_form **form, struct bpe_error *error)
{
	struct bpei_form *made = NULL;
	int status = BPE_OK;

	*form = NULL;
	if (!options->names || options->names_form == BPE_NAMES_WHOLE)
		return BPE_OK;
	made = calloc(1, sizeof *made);
	if (!made)
		return bpei_fail(error, BPE_E_MEMORY, "form of names", 0, "no memory");
	if (options->names_form == BPE_NAMES_DOMAIN)
		status = bpei_suffixes_open(options->public_suffixes, &made->suffixes, error);
	else
		choose_key(made, options->names_key);
	if (status < 0) {
		bpei_form_close(made);
		return status;
	}
	*form = made;
	return BPE_OK;
}

void bpei_form_close(struct bpei_form *form)
{
	if (!form)
		return;
	bpei_suffixes_close(form->suffixes);
	memset(form, 0, sizeof *form);
	free(form);
}

/* ---- Texts ---- */

static char lower_byte(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Writes the 16 digits of a text's hash; `to` may be the text. */
static void write_hash(const struct bpei_form *form, char *to, const char *text, size_t n)
{
	char lower[BPEI_NAME_MOST + 1];

	if (n > BPEI_NAME_MOST)
		n = BPEI_NAME_MOST;
	for (size_t i = 0; i < n; i++)
		lower[i] = lower_byte(text[i]);
	uint64_t hash = bpei_siphash(form->key, lower, n);

	for (size_t i = HASH_TEXT; i--; hash >>= 4)
		to[i] = "0123456789abcdef"[hash & 15];
}

/* Replaces a text by its hash; "" stays. */
static void hash_name(const struct bpei_form *form, char *text, size_t room)
{
	const size_t n = strnlen(text, room - 1);

	if (!n)
		return;
	write_hash(form, text, text, n);
	memset(text + HASH_TEXT, 0, room - HASH_TEXT);
}

/* Returns how many of the first bytes of a text are among `set`. */
static size_t count_leading(const char *text, size_t n, const char *set)
{
	size_t k = 0;

	while (k < n && text[k] && strchr(set, text[k]))
		k++;
	return k;
}

/* Returns whether a text is an address, with or without a port: 192.0.2.1:8080, [2001:db8::1]. */
static bool is_address_text(const char *text, size_t n)
{
	const char *colon = memchr(text, ':', n);

	if (count_leading(text, n, "0123456789.:") == n)
		return count_leading(text, n, ".") < n;
	const size_t hex = count_leading(text, n, "0123456789abcdefABCDEF:.[]");

	if (hex < n && text[hex] != '%') /* a zone follows the address */
		return false;
	return colon && memchr(colon + 1, ':', n - (size_t)(colon + 1 - text));
}

/* Copies a name in lower case without the dot at its end.  Returns the length; 0: the name is no
 * name, since a label is empty or the name is too long. */
static size_t lower_name(char lower[BPEI_NAME_MOST + 1], const char *name, size_t n)
{
	while (n && name[n - 1] == '.')
		n--;
	if (!n || n > BPEI_NAME_MOST || name[0] == '.')
		return 0;
	for (size_t i = 0; i < n; i++) {
		lower[i] = lower_byte(name[i]);
		if (i && name[i] == '.' && name[i - 1] == '.')
			return 0;
	}
	lower[n] = 0;
	return n;
}

/* Cuts a name of n bytes to its registered domain, in place.  Returns the bytes that are left.
 * A port, as in HTTP's Host, is cut off. */
static size_t cut_to_domain(const struct bpei_form *form, char *name, size_t n)
{
	char lower[BPEI_NAME_MOST + 1];
	const char *port = memchr(name, ':', n);

	if (is_address_text(name, n))
		return n;
	if (port)
		n = (size_t)(port - name);
	n = lower_name(lower, name, n);
	if (!n)
		return 0;
	const struct bpei_suffix found = bpei_suffixes_find(form->suffixes, lower, n);
	size_t from = found.registered;

	if (!found.listed && !found.suffix)
		return 0; /* a label alone */
	if (!found.listed || from == n)
		from = found.suffix;
	memmove(name, name + from, n - from);
	return n - from;
}

/* Cuts a text that is a name. */
static void cut_name_text(const struct bpei_form *form, char *text, size_t room)
{
	const size_t n = cut_to_domain(form, text, strnlen(text, room - 1));

	memset(text + n, 0, room - n);
}

/* ---- Names of a flow ---- */

/* Returns whether a list with commas has a name of n bytes. */
static bool has_part(const char *list, const char *name, size_t n)
{
	for (size_t length; *list; list += length + (list[length] == ',')) {
		length = strcspn(list, ",");
		if (length == n && !memcmp(list, name, n))
			return true;
	}
	return false;
}

/* Puts each name of a list with commas into the form; names that do not fit are left out. */
static void form_list(const struct bpei_form *form, char *list, size_t room)
{
	char all[sizeof((struct bpe_flow_names *)0)->others + HASH_TEXT] = "";
	size_t used = 0;
	size_t n;

	list[room - 1] = 0;
	for (char *name = list; *name; name += n + (name[n] == ',')) {
		char hash[HASH_TEXT];
		const char *part = form->suffixes ? name : hash;

		n = strcspn(name, ",");
		size_t length = HASH_TEXT;

		if (form->suffixes)
			length = cut_to_domain(form, name, n);
		else
			write_hash(form, hash, name, n);
		if (!length || used + !!used + length >= room || has_part(all, part, length))
			continue;
		if (used)
			all[used++] = ',';
		memcpy(all + used, part, length);
		used += length;
	}
	memset(list, 0, room);
	memcpy(list, all, used);
}

/* Returns the length of the first attribute of a distinguished name (RFC 4514). */
static size_t attribute_bytes(const char *text)
{
	size_t n = 0;

	while (text[n] && text[n] != ',' && text[n] != '+')
		n += text[n] == '\\' && text[n + 1] ? 2 : 1;
	return n;
}

/* Returns whether an attribute tells no more than an organisation and its place. */
static bool is_public_attribute(const char *attribute)
{
	static const char *const types[] = { "O=", "OU=", "L=", "ST=", "C=" };

	for (size_t k = 0; k < sizeof types / sizeof *types; k++)
		if (!strncmp(attribute, types[k], strlen(types[k])))
			return true;
	return false;
}

/* Cuts the names in a certificate's subject or issuer.  Common names are cut as names are, but an
 * issuer's common name without a dot stays.  Attributes that may tell of a person are left out. */
static void cut_subject(const struct bpei_form *form, char *text, size_t room, bool is_issuer)
{
	char all[sizeof((struct bpe_flow_names *)0)->subject] = "";
	size_t used = 0;
	size_t n;

	text[room - 1] = 0;
	for (char *at = text; *at; at += n + !!at[n]) {
		n = attribute_bytes(at);
		size_t length = is_public_attribute(at) ? n : 0;

		if (n > 3 && !strncmp(at, "CN=", 3)) {
			const bool is_word = is_issuer && !memchr(at, '.', n);

			length = is_word ? n : 3 + cut_to_domain(form, at + 3, n - 3);
		}
		if (length <= 3 && !is_public_attribute(at))
			continue;
		if (used)
			all[used++] = ',';
		memcpy(all + used, at, length);
		used += length;
	}
	memset(text, 0, room);
	memcpy(text, all, used);
}

void bpei_names_form(const struct bpei_form *form, struct bpe_flow_names *names)
{
	if (!form)
		return;
	form_list(form, names->others, sizeof names->others);
	if (form->suffixes) {
		cut_name_text(form, names->server, sizeof names->server);
		cut_name_text(form, names->client, sizeof names->client);
		cut_subject(form, names->subject, sizeof names->subject, false);
		cut_subject(form, names->issuer, sizeof names->issuer, true);
		return;
	}
	hash_name(form, names->server, sizeof names->server);
	hash_name(form, names->client, sizeof names->client);
	hash_name(form, names->subject, sizeof names->subject);
	hash_name(form, names->issuer, sizeof names->issuer);
	hash_name(form, names->container, sizeof names->container);
}

/* ---- Queries and answers ---- */

enum {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_DNAME = 39,
	DNS_SVCB = 64,
	DNS_HTTPS = 65
};

/* Cuts the names among the words of an answer. */
static void cut_words(const struct bpei_form *form, char *text, size_t room)
{
	char all[sizeof((struct bpe_dns_answer *)0)->text] = "";
	size_t used = 0;
	size_t n;

	text[room - 1] = 0;
	for (char *word = text; *word; word += n + (word[n] == ' ')) {
		n = strcspn(word, " ");
		const bool is_name = memchr(word, '.', n) && !memchr(word, '=', n);
		const size_t length = is_name && n > 1 ? cut_to_domain(form, word, n) : n;

		if (used && used + 1 < room)
			all[used++] = ' ';
		memcpy(all + used, word, length); /* no longer than the text was */
		used += length;
	}
	memset(text, 0, room);
	memcpy(text, all, used);
}

/* Cuts an answer, by the type of its record.  Texts of unknown content are left out. */
static void cut_answer(const struct bpei_form *form, struct bpe_dns_answer *answer)
{
	switch (answer->type) {
	case DNS_A:
	case DNS_AAAA:
		return;
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
	case DNS_DNAME:
		cut_name_text(form, answer->text, sizeof answer->text);
		return;
	case DNS_SOA:
	case DNS_MX:
	case DNS_SRV:
	case DNS_SVCB:
	case DNS_HTTPS:
		cut_words(form, answer->text, sizeof answer->text);
		return;
	default:
		memset(answer->text, 0, sizeof answer->text);
	}
}

void bpei_names_form_dns(const struct bpei_form *form, struct bpe_dns *dns)
{
	if (!form)
		return;
	if (form->suffixes)
		cut_name_text(form, dns->query, sizeof dns->query);
	else
		hash_name(form, dns->query, sizeof dns->query);
	for (uint32_t k = 0; k < dns->answer_count; k++) {
		struct bpe_dns_answer *answer = &dns->answers[k];

		if (form->suffixes)
			cut_answer(form, answer);
		else
			hash_name(form, answer->text, sizeof answer->text);
	}
}
