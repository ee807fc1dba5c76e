/* SPDX-License-Identifier: MIT */
/* Subject and issuer of a certificate (server_hello.h); stateless.
 *
 * The reader goes straight to the two names and does not recurse: Certificate, TBSCertificate,
 * [0] version, serialNumber, signature, issuer, validity, subject. */
#include "inspect/der.h"
#include "inspect/server_hello.h"

#include "inspect/hello.h"

/* Takes an element with the tag, if all its bytes are there. */
static size_t take_whole(struct bpei_der *in, struct bpei_der *value, uint8_t expected)
{
	uint8_t tag;
	const size_t need = bpei_der_take(in, value, &tag);

	if (need)
		return need;
	if (tag != expected)
		return BPEI_DER_BAD;
	return value->end > in->there ? value->end : 0;
}

/* Enters an element with the tag, also if not all of it is there. */
static size_t enter_element(struct bpei_der *in, uint8_t expected)
{
	uint8_t tag;
	struct bpei_der value;
	const size_t need = bpei_der_take(in, &value, &tag);

	if (need)
		return need;
	if (tag != expected)
		return BPEI_DER_BAD;
	*in = value;
	return 0;
}

/* Finds the two names.  Returns 0, the bytes needed, or BPEI_DER_BAD. */
static size_t find_names(struct bpei_der *in, struct bpei_der *issuer, struct bpei_der *subject)
{
	struct bpei_der skipped;
	size_t need = enter_element(in, BPEI_DER_SEQUENCE);

	if (!need)
		need = enter_element(in, BPEI_DER_SEQUENCE);
	if (!need) {
		/* version, which certificates of version 1 lack */
		struct bpei_der trial = *in;
		need = take_whole(&trial, &skipped, BPEI_DER_VERSION);
		if (!need)
			*in = trial;
		if (need == BPEI_DER_BAD)
			need = 0;
	}
	if (!need)
		need = take_whole(in, &skipped, BPEI_DER_INTEGER);
	if (!need)
		need = take_whole(in, &skipped, BPEI_DER_SEQUENCE);
	if (!need)
		need = take_whole(in, issuer, BPEI_DER_SEQUENCE);
	if (!need)
		need = take_whole(in, &skipped, BPEI_DER_SEQUENCE);
	if (!need)
		need = take_whole(in, subject, BPEI_DER_SEQUENCE);
	return need;
}

size_t bpei_certificate_names(const uint8_t *der, size_t n, struct bpe_flow_names *said)
{
	/* an element ends within the element around; the outermost has no bound here */
	struct bpei_der in = { der, 0, SIZE_MAX / 2, n };
	struct bpei_der issuer;
	struct bpei_der subject;
	char texts[2][sizeof said->subject];
	bool is_cut = false;
	const size_t need = find_names(&in, &issuer, &subject);

	if (need)
		return need == BPEI_DER_BAD ? 0 : need;
	if (!bpei_dn_text(&issuer, texts[0], sizeof texts[0], &is_cut) ||
		!bpei_dn_text(&subject, texts[1], sizeof texts[1], &is_cut))
		return 0;
	memcpy(said->issuer, texts[0], sizeof texts[0]);
	memcpy(said->subject, texts[1], sizeof texts[1]);
	if (is_cut)
		said->flags |= BPE_NAMED_CUT;
	return 0;
}

size_t bpei_certificate_message(const uint8_t *handshake, size_t n, struct bpe_flow_names *said)
{
	enum { HEAD_BYTES = 10 }; /* of the message, the list and the certificate */
	const size_t total = bpei_hello_bytes(handshake, n);
	size_t bytes;
	size_t there;
	size_t need;

	if (n && handshake[0] != BPEI_HELLO_CERTIFICATE)
		return 0;
	if (n < BPEI_HELLO_HEAD)
		return BPEI_HELLO_HEAD;
	if (total < HEAD_BYTES)
		return 0; /* no certificate */
	if (n < HEAD_BYTES)
		return HEAD_BYTES;
	bytes = bpei_be32(handshake + 6) & 0xffffff;
	if ((bpei_be32(handshake + 3) & 0xffffff) != total - 7 || bytes > total - HEAD_BYTES)
		return 0;
	there = n - HEAD_BYTES;
	if (there > bytes)
		there = bytes;
	need = bpei_certificate_names(handshake + HEAD_BYTES, there, said);
	return need && need <= bytes ? need + HEAD_BYTES : 0;
}
