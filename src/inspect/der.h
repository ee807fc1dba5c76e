/* SPDX-License-Identifier: MIT */
/* Elements of DER (X.690) in bytes with an early end. */
#ifndef BPEI_DER_H
#define BPEI_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_DER_INTEGER 0x02u
#define BPEI_DER_OID 0x06u
#define BPEI_DER_UTF8 0x0cu
#define BPEI_DER_NUMERIC 0x12u
#define BPEI_DER_PRINTABLE 0x13u
#define BPEI_DER_T61 0x14u
#define BPEI_DER_IA5 0x16u
#define BPEI_DER_VISIBLE 0x1au
#define BPEI_DER_UNIVERSAL 0x1cu
#define BPEI_DER_BMP 0x1eu
#define BPEI_DER_SEQUENCE 0x30u
#define BPEI_DER_SET 0x31u
#define BPEI_DER_VERSION 0xa0u

#define BPEI_DER_BAD SIZE_MAX

/* Elements within bytes[at, end), of which bytes[0, there) are there. */
struct bpei_der {
	const uint8_t *bytes;
	size_t at, end, there;
};

/* Takes the next element.  Returns 0, and in *value the range of its content, which may reach
 * behind `there`; or how many bytes must be there to go on; or BPEI_DER_BAD. */
size_t bpei_der_take(struct bpei_der *in, struct bpei_der *value, uint8_t *tag);

/* Writes a distinguished name, the content of its RDNSequence, as RFC 4514 does: the last element
 * first.  Elements without room are left out whole, and *is_cut is set.  Control characters and
 * bytes outside UTF-8 become pairs of hexadecimal digits behind a backslash.  Returns false if
 * the bytes are no name. */
bool bpei_dn_text(const struct bpei_der *name, char *to, size_t room, bool *is_cut);

#endif
