/* SPDX-License-Identifier: MIT */
/* The forms of names: which texts are cut, hashed or left, and that hashes are SipHash-2-4's. */
#include "naming/form.h"

#include "base/siphash.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char rules[] = "com\nco.uk\nnet\n*.ck\nin-addr.arpa\nio\n";

static struct bpei_form *open_form(uint32_t kind, const char *key)
{
	char path[] = "/tmp/bpe-form-XXXXXX";
	struct bpe_options o = { .names = BPE_NAMES_ALL, .names_form = kind, .names_key = key };
	struct bpe_error error = { .text = "" };
	struct bpei_form *form = NULL;
	const int file = mkstemp(path);

	cr_assert_geq(file, 0);
	cr_assert_eq(write(file, rules, strlen(rules)), (ssize_t)strlen(rules));
	close(file);
	o.public_suffixes = path;
	cr_assert_eq(bpei_form_open(&o, &form, &error), BPE_OK, "%s", error.text);
	unlink(path);
	return form;
}

Test(form, siphash_has_the_vectors_of_its_authors)
{
	static const struct {
		size_t n;
		uint64_t hash;
	} vectors[] = { { 0, 0x726fdb47dd0e0e31 }, { 1, 0x74f839c593dc67fd },
		{ 7, 0xab0200f58b01d137 }, { 8, 0x93f5f5799a932462 }, { 15, 0xa129ca6149be45e5 },
		{ 63, 0x958a324ceb064572 } };
	uint8_t bytes[64];
	const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++)
		cr_expect_eq(bpei_siphash(key, bytes, vectors[k].n), vectors[k].hash, "%zu",
			vectors[k].n);
}

static void expect_server(const struct bpei_form *form, const char *name, const char *want)
{
	struct bpe_flow_names names = { .app = BPE_APP_TLS };

	snprintf(names.server, sizeof names.server, "%s", name);
	bpei_names_form(form, &names);
	cr_expect_str_eq(names.server, want, "%s: %s", name, names.server);
}

Test(form, names_are_cut_to_the_registered_domain)
{
	struct bpei_form *form = open_form(BPE_NAMES_DOMAIN, NULL);
	char longest[256];

	expect_server(form, "", "");
	expect_server(form, "www.Example.COM", "Example.COM");
	expect_server(form, "www.example.com.", "example.com");
	expect_server(form, "a.b.c.co.uk", "c.co.uk");
	expect_server(form, "co.uk", "co.uk");
	expect_server(form, "com", "com");
	expect_server(form, "x.y.test.ck", "y.test.ck");
	expect_server(form, "annas-laptop.local", "local");
	expect_server(form, "annas-laptop", "");
	expect_server(form, "www.example.com:8080", "example.com");
	expect_server(form, "annas-laptop:8080", "");
	expect_server(form, "192.0.2.1", "192.0.2.1");
	expect_server(form, "192.0.2.1:8080", "192.0.2.1:8080");
	expect_server(form, "[2001:db8::1]:443", "[2001:db8::1]:443");
	expect_server(form, "fe80::1%en0", "fe80::1%en0");
	expect_server(form, "a..b.com", "");
	expect_server(form, ".com", "");
	expect_server(form, ".", "");
	expect_server(form, ":80", ":80");
	memset(longest, 'a', 255);
	longest[255] = 0;
	expect_server(form, longest, "");
	memcpy(longest + 251, ".com", 4);
	expect_server(form, longest, longest);
	bpei_form_close(form);
}

Test(form, lists_and_certificates_are_cut)
{
	struct bpei_form *form = open_form(BPE_NAMES_DOMAIN, NULL);
	struct bpe_flow_names names = { .others = "a.example.com,b.example.com,c.other.net,laptop,"
						  "printer.local",
		.others_count = 5,
		.client = "annas-laptop",
		.alpn = "h2",
		.container = "docker:1f2e3d4c5b6a",
		.subject = "CN=*.cdn.example.com,emailAddress=anna@example.com,O=Example\\, "
			   "Inc.,C=US",
		.issuer = "CN=R3,O=Let's Encrypt,C=US" };

	bpei_names_form(form, &names);
	cr_expect_str_eq(names.others, "example.com,other.net,local");
	cr_expect_eq(names.others_count, 5);
	cr_expect_str_eq(names.client, "");
	cr_expect_str_eq(names.alpn, "h2");
	cr_expect_str_eq(names.container, "docker:1f2e3d4c5b6a");
	cr_expect_str_eq(names.subject, "CN=example.com,O=Example\\, Inc.,C=US");
	cr_expect_str_eq(names.issuer, "CN=R3,O=Let's Encrypt,C=US");
	strcpy(names.subject, "CN=Anna Example,C=DE");
	strcpy(names.issuer, "CN=ca.office.example.com");
	bpei_names_form(form, &names);
	cr_expect_str_eq(names.subject, "C=DE");
	cr_expect_str_eq(names.issuer, "CN=example.com");
	memset(names.subject, '\\', sizeof names.subject);
	memset(names.issuer, ',', sizeof names.issuer);
	memset(names.others, ',', sizeof names.others - 1);
	bpei_names_form(form, &names);
	cr_expect_str_eq(names.subject, "");
	cr_expect_str_eq(names.issuer, "");
	cr_expect_str_eq(names.others, "");
	bpei_form_close(form);
}

static void expect_cut_answer(
	const struct bpei_form *form, uint16_t type, const char *text, const char *want)
{
	static struct bpe_dns dns;

	memset(&dns, 0, sizeof dns);
	dns.answer_count = 1;
	dns.answers[0].type = type;
	snprintf(dns.answers[0].text, sizeof dns.answers[0].text, "%s", text);
	strcpy(dns.query, "mail.example.com");
	bpei_names_form_dns(form, &dns);
	cr_expect_str_eq(dns.answers[0].text, want, "%s: %s", text, dns.answers[0].text);
	cr_expect_str_eq(dns.query, "example.com");
}

Test(form, answers_are_cut_by_their_type)
{
	struct bpei_form *form = open_form(BPE_NAMES_DOMAIN, NULL);

	expect_cut_answer(form, 1, "192.0.2.1", "192.0.2.1");
	expect_cut_answer(form, 28, "2001:db8::1", "2001:db8::1");
	expect_cut_answer(form, 5, "host.cdn.example.net", "example.net");
	expect_cut_answer(form, 12, "Anna's printer._ipp._tcp.local", "local");
	expect_cut_answer(form, 15, "10 mx1.example.com", "10 example.com");
	expect_cut_answer(form, 33, "0 5 5060 sip.example.com", "0 5 5060 example.com");
	expect_cut_answer(
		form, 65, "1 . alpn=h2 ipv4hint=192.0.2.1", "1 . alpn=h2 ipv4hint=192.0.2.1");
	expect_cut_answer(form, 65, "1 svc.example.com alpn=h2", "1 example.com alpn=h2");
	expect_cut_answer(form, 16, "a text about anna.example.com", "");
	bpei_form_close(form);
}

Test(form, names_are_hashed_with_the_key)
{
	struct bpei_form *form = open_form(BPE_NAMES_HASHED, "secret");
	struct bpei_form *same = open_form(BPE_NAMES_HASHED, "secret");
	struct bpei_form *other = open_form(BPE_NAMES_HASHED, "other");
	struct bpei_form *random[2] = { open_form(BPE_NAMES_HASHED, NULL),
		open_form(BPE_NAMES_HASHED, NULL) };
	struct bpe_flow_names n[5] = { 0 };
	struct bpei_form *forms[5] = { form, same, other, random[0], random[1] };

	for (int k = 0; k < 5; k++) {
		strcpy(n[k].server, k == 1 ? "WWW.Example.com" : "www.example.com");
		strcpy(n[k].others, "www.example.com,b.net");
		strcpy(n[k].client, "www.example.com");
		strcpy(n[k].subject, "www.example.com");
		strcpy(n[k].issuer, "www.example.com");
		strcpy(n[k].container, "www.example.com");
		strcpy(n[k].alpn, "h2");
		bpei_names_form(forms[k], &n[k]);
		cr_expect_eq(strlen(n[k].server), 16);
		cr_expect_eq(strspn(n[k].server, "0123456789abcdef"), 16);
		cr_expect_eq(strlen(n[k].others), 33);
		cr_expect_eq(memcmp(n[k].others, n[k].server, 16), 0);
		cr_expect_str_eq(n[k].client, n[k].server);
		cr_expect_str_eq(n[k].subject, n[k].server);
		cr_expect_str_eq(n[k].issuer, n[k].server);
		cr_expect_str_eq(n[k].container, n[k].server);
		cr_expect_str_eq(n[k].alpn, "h2");
	}
	cr_expect_str_eq(n[0].server, n[1].server, "equal, whatever the case");
	cr_expect_str_neq(n[0].server, n[2].server);
	cr_expect_str_neq(n[3].server, n[4].server, "a key for each run");
	for (int k = 0; k < 5; k++)
		bpei_form_close(forms[k]);
}

Test(form, hashed_texts_fit_and_answers_are_hashed)
{
	struct bpei_form *form = open_form(BPE_NAMES_HASHED, "secret");
	struct bpe_flow_names names = { .others = "" };
	static struct bpe_dns dns;

	for (size_t k = 0; k < 254; k += 2)
		memcpy(names.others + k, "a,", 2);
	names.others[1] = 'b';
	bpei_names_form(form, &names);
	cr_expect_leq(strlen(names.others), sizeof names.others - 1);
	cr_expect_eq(strlen(names.others) % 17, 16);
	dns.answer_count = 2;
	strcpy(dns.query, "www.example.com");
	strcpy(dns.answers[0].text, "192.0.2.1");
	memset(dns.answers[1].text, 'x', sizeof dns.answers[1].text);
	bpei_names_form_dns(form, &dns);
	cr_expect_eq(strlen(dns.query), 16);
	cr_expect_eq(strlen(dns.answers[0].text), 16);
	cr_expect_eq(strlen(dns.answers[1].text), 16);
	bpei_form_close(form);
}

Test(form, whole_names_and_missing_lists)
{
	struct bpe_options o = { .names = BPE_NAMES_ALL };
	struct bpe_flow_names names = { .server = "www.example.com" };
	struct bpe_error error = { .text = "" };
	struct bpei_form *form = NULL;

	cr_expect_eq(bpei_form_open(&o, &form, &error), BPE_OK);
	cr_expect_null(form);
	bpei_names_form(form, &names);
	bpei_names_form_dns(form, NULL);
	cr_expect_str_eq(names.server, "www.example.com");
	bpei_form_close(form);
	o.names_form = BPE_NAMES_DOMAIN;
	o.public_suffixes = "/nonexistent/list";
	cr_expect_eq(bpei_form_open(&o, &form, &error), BPE_E_ABSENT);
	cr_expect_null(form);
	cr_expect(strstr(error.text, "/nonexistent/list"), "%s", error.text);
	o.names = 0;
	cr_expect_eq(bpei_form_open(&o, &form, &error), BPE_OK);
	cr_expect_null(form);
}
