/* SPDX-License-Identifier: MIT */
/* Names of certificates: texts as in RFC 4514, bytes cut and changed. */
#include "hello_bytes.h"

#include "inspect/der.h"
#include "inspect/server_hello.h"

#include <criterion/criterion.h>

/* Begins an element of DER; close_element writes its length in the long form. */
static size_t open_element(struct made *made, uint8_t tag)
{
	make_number(made, 1, tag);
	make_number(made, 1, 0x82);
	return make_open(made, 2);
}

static void close_element(struct made *made, size_t start)
{
	make_close(made, start, 2);
}

static void make_element(struct made *made, uint8_t tag, const void *bytes, size_t n)
{
	make_number(made, 1, tag);
	make_number(made, 1, n);
	make_bytes(made, bytes, n);
}

/* An attribute of a name; joined: in the element of the attribute before. */
struct attribute {
	const char *oid;
	size_t oid_bytes;
	uint8_t tag;
	const char *value;
	size_t n;
	bool joined;
};

static void make_pair(struct made *made, const struct attribute *attribute)
{
	const size_t pair = open_element(made, BPEI_DER_SEQUENCE);

	make_element(made, BPEI_DER_OID, attribute->oid, attribute->oid_bytes);
	make_element(made, attribute->tag, attribute->value, attribute->n);
	close_element(made, pair);
}

/* Makes the content of a name. */
static void make_name(struct made *made, const struct attribute *attributes, size_t n)
{
	for (size_t i = 0; i < n;) {
		const size_t set = open_element(made, BPEI_DER_SET);
		do
			make_pair(made, &attributes[i++]);
		while (i < n && attributes[i].joined);
		close_element(made, set);
	}
}

static void expect_dn(const struct attribute *attributes, size_t n, const char *expected)
{
	struct made made = { .n = 0 };
	char text[128];
	bool is_cut = false;

	make_name(&made, attributes, n);
	const struct bpei_der name = { made.bytes, 0, made.n, made.n };
	cr_assert(bpei_dn_text(&name, text, sizeof text, &is_cut), "%s", expected);
	cr_expect_str_eq(text, expected);
	cr_expect(!is_cut);
}

#define CN "\x55\4\3", 3
#define OU "\x55\4\13", 3
#define UTF8(text) BPEI_DER_UTF8, text, sizeof text - 1

/* Compares with the examples of RFC 4514, section 4. */
Test(certificate, examples_of_rfc_4514)
{
	static const char dc[] = "\x09\x92\x26\x89\x93\xf2\x2c\x64\1\x19";
	const struct attribute plain[] = { { dc, 10, BPEI_DER_IA5, "net", 3, false },
		{ dc, 10, BPEI_DER_IA5, "example", 7, false },
		{ "\x09\x92\x26\x89\x93\xf2\x2c\x64\1\1", 10, UTF8("jsmith"), false } };
	const struct attribute joined[] = { { dc, 10, BPEI_DER_IA5, "net", 3, false },
		{ OU, UTF8("Sales"), false }, { CN, UTF8("J.  Smith"), true } };
	const struct attribute quoted[] = { { CN, UTF8("James \"Jim\" Smith, III"), false } };
	const struct attribute control[] = { { CN, UTF8("Before\rAfter"), false } };
	const struct attribute octets[] = { { "\x2b\6\1\4\1\x8b\x3a\0", 8, 4, "Hi", 2, false } };
	const struct attribute letters[] = { { CN, UTF8("Lu\xc4\x8di\xc4\x87"), false } };

	expect_dn(plain, 3, "UID=jsmith,DC=example,DC=net");
	expect_dn(joined, 3, "OU=Sales+CN=J.  Smith,DC=net");
	expect_dn(quoted, 1, "CN=James \\\"Jim\\\" Smith\\, III");
	expect_dn(control, 1, "CN=Before\\0DAfter");
	expect_dn(octets, 1, "1.3.6.1.4.1.1466.0=#04024869");
	expect_dn(letters, 1, "CN=Lu\xc4\x8di\xc4\x87");
}

Test(certificate, strings_of_all_kinds)
{
	const struct attribute edges[] = { { CN, UTF8(" #a "), false } };
	const struct attribute hash[] = { { CN, UTF8("#a<b>;c\\+"), false } };
	const struct attribute bmp[] = { { CN, BPEI_DER_BMP, "\0A\x20\xac\xd8\x3d\xde\0", 8,
		false } };
	const struct attribute odd[] = { { CN, BPEI_DER_BMP, "\0A\0", 3, false } };
	const struct attribute latin[] = { { CN, BPEI_DER_T61, "M\xfcller", 6, false } };
	const struct attribute broken[] = { { CN,
		UTF8("a\xff"
		     "b\xc3"),
		false } };
	const struct attribute wide[] = { { CN, BPEI_DER_UNIVERSAL, "\0\0\0A\0\x11\0\0", 8,
		false } };
	const struct attribute number[] = { { CN, BPEI_DER_INTEGER, "\1\2", 2, false } };

	expect_dn(edges, 1, "CN=\\ #a\\ ");
	expect_dn(hash, 1, "CN=\\#a\\<b\\>\\;c\\\\\\+");
	expect_dn(bmp, 1, "CN=A\xe2\x82\xac\xf0\x9f\x98\x80");
	expect_dn(odd, 1, "CN=#1E03004100");
	expect_dn(latin, 1, "CN=M\xc3\xbcller");
	expect_dn(broken, 1, "CN=a\\FFb\\C3");
	expect_dn(wide, 1, "CN=A\xef\xbf\xbd");
	expect_dn(number, 1, "CN=#02020102");
}

/* Leaves elements out whole, from the end. */
Test(certificate, long_names_are_cut_between_elements)
{
	char longest[121];
	const struct attribute rows[] = { { OU, UTF8("left out"), false },
		{ CN, BPEI_DER_UTF8, longest, 120, false } };
	struct made made = { .n = 0 };
	char text[128];
	bool is_cut = false;

	memset(longest, 'a', sizeof longest);
	make_name(&made, rows, 2);
	const struct bpei_der name = { made.bytes, 0, made.n, made.n };
	cr_assert(bpei_dn_text(&name, text, sizeof text, &is_cut));
	cr_expect(is_cut);
	cr_expect_eq(strlen(text), 123);
	cr_expect(!strncmp(text, "CN=aaa", 6));
}

/* Makes a certificate up to the names, with bytes behind them; v1: without a version. */
static void make_certificate(struct made *made, bool v1)
{
	const struct attribute issuer = { CN, UTF8("Example CA"), false };
	const struct attribute subject = { CN, UTF8("www.example.com"), false };
	const size_t all = open_element(made, BPEI_DER_SEQUENCE);
	const size_t inner = open_element(made, BPEI_DER_SEQUENCE);

	if (!v1)
		make_element(made, BPEI_DER_VERSION, "\2\1\2", 3);
	make_element(made, BPEI_DER_INTEGER, "\1\2\3", 3);
	make_element(made, BPEI_DER_SEQUENCE, "\6\1\1\5\0", 5);
	size_t part = open_element(made, BPEI_DER_SEQUENCE);
	make_name(made, &issuer, 1);
	close_element(made, part);
	make_element(made, BPEI_DER_SEQUENCE, "\x17\0\x17\0", 4);
	part = open_element(made, BPEI_DER_SEQUENCE);
	make_name(made, &subject, 1);
	close_element(made, part);
	make_element(made, BPEI_DER_SEQUENCE, "key and so on", 13);
	close_element(made, inner);
	close_element(made, all);
}

/* Gives the bytes asked for; a few steps suffice. */
Test(certificate, every_cut_asks_for_more)
{
	static const struct bpe_flow_names empty;

	for (int v1 = 0; v1 < 2; v1++) {
		struct made made = { .n = 0 };
		struct bpe_flow_names said = { 0 };
		size_t n = 0;
		int calls = 0;
		make_certificate(&made, v1);
		for (size_t need = 1; need; calls++) {
			uint8_t *copy = copy_exact(made.bytes, n);
			need = bpei_certificate_names(copy, n, &said);
			free(copy);
			cr_assert(!need || (need > n && need <= made.n));
			cr_assert(!need || !memcmp(&said, &empty, sizeof said));
			n = need;
		}
		cr_expect_lt(calls, 20);
		cr_expect_str_eq(said.subject, "CN=www.example.com");
		cr_expect_str_eq(said.issuer, "CN=Example CA");
		cr_expect_eq(said.flags, 0);
	}
}

Test(certificate, every_byte_changed)
{
	static const uint8_t others[] = { 0, 1, 0x30, 0x7f, 0x80, 0x83, 0x84, 0xff };
	struct made made = { .n = 0 };

	make_certificate(&made, false);
	for (size_t at = 0; at < made.n; at++) {
		for (size_t i = 0; i < sizeof others; i++) {
			struct bpe_flow_names said = { 0 };
			uint8_t *copy = copy_exact(made.bytes, made.n);
			copy[at] = others[i];
			const size_t need = bpei_certificate_names(copy, made.n, &said);
			free(copy);
			cr_assert(!need || need > made.n);
			cr_assert(memchr(said.subject, 0, sizeof said.subject) &&
				  memchr(said.issuer, 0, sizeof said.issuer));
		}
	}
}

Test(certificate, the_first_of_the_message)
{
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };

	make_number(&made, 1, 11);
	const size_t body = make_open(&made, 3);
	const size_t list = make_open(&made, 3);
	const size_t first = make_open(&made, 3);
	make_certificate(&made, false);
	make_close(&made, first, 3);
	make_number(&made, 3, 5);
	make_bytes(&made, "other", 5);
	make_close(&made, list, 3);
	make_close(&made, body, 3);
	for (size_t n = 0; n < 10; n++)
		cr_expect_eq(bpei_certificate_message(made.bytes, n, &said), n < 4 ? 4 : 10);
	cr_expect_eq(bpei_certificate_message(made.bytes, made.n, &said), 0);
	cr_expect_str_eq(said.subject, "CN=www.example.com");

	/* lengths that do not fit each other, and an empty list: no certificate */
	memset(&said, 0, sizeof said);
	made.bytes[6]++;
	cr_expect_eq(bpei_certificate_message(made.bytes, made.n, &said), 0);
	cr_expect_eq(bpei_certificate_message((const uint8_t *)"\13\0\0\3\0\0\0", 7, &said), 0);
	cr_expect_str_eq(said.subject, "");
}

Test(certificate, malformed_names)
{
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = { { "\x31\0", 2 }, { "\x30\2\5\0", 4 }, { "\x31\4\x30\2\6\0", 6 },
		{ "\x31\7\x30\5\6\1\x55\5\1", 9 }, { "\x31\x80\0\0", 4 },
		{ "\x31\xb\x30\x9\6\7\xff\xff\xff\xff\xff\xff\1", 13 } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct bpei_der name = { (const uint8_t *)rows[i].bytes, 0, rows[i].n,
			rows[i].n };
		char text[128];
		bool is_cut = false;
		cr_expect(!bpei_dn_text(&name, text, sizeof text, &is_cut), "row %zu", i);
	}
}
