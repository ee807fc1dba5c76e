/* SPDX-License-Identifier: MIT */
/* Elements of DER (der.h); stateless. */
#include "inspect/der.h"

size_t bpei_der_take(struct bpei_der *in, struct bpei_der *value, uint8_t *tag)
{
	size_t length;
	size_t head = 2;
	const size_t left = in->end - in->at;

	if (in->at > in->end || left < 2)
		return BPEI_DER_BAD;
	if (in->at + 2 > in->there)
		return in->at + 2;
	*tag = in->bytes[in->at];
	length = in->bytes[in->at + 1];
	if (length > 0x80) {
		const size_t width = length & 0x7f;
		head += width;
		length = 0;
		if (width > 3 || head > left)
			return BPEI_DER_BAD;
		if (in->at + head > in->there)
			return in->at + head;
		for (size_t i = 0; i < width; i++)
			length = length << 8 | in->bytes[in->at + 2 + i];
	} else if (length == 0x80) {
		return BPEI_DER_BAD; /* BER's indefinite length */
	}
	if (length > left - head)
		return BPEI_DER_BAD;
	*value = *in;
	value->at = in->at + head;
	value->end = value->at + length;
	in->at = value->end;
	return 0;
}
