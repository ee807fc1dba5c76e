/* SPDX-License-Identifier: MIT */
/* TCP's options, on demand (RFC 9293 3.1; window scale and timestamps: RFC 7323; SACK: RFC 2018).
 * Pure. */
#include "bpfengine.h"

#include "base/bytes.h"

enum { END = 0, NOP = 1, MSS = 2, WINDOW_SCALE = 3, SACK_PERMITTED = 4, SACK = 5, TIMESTAMPS = 8 };

int bpe_batch_tcp_options(const struct bpe_batch *b, uint32_t i, struct bpe_tcp_options *o)
{
	if (i >= b->count)
		return BPE_E_ARGUMENT;
	const struct bpe_layers *l = &b->layers[i];
	if (l->proto != BPE_PROTO_TCP || l->transport == BPE_NO_OFFSET ||
		l->transport + 20u > l->end)
		return 0;
	*o = (struct bpe_tcp_options){ .present = 0 };
	const uint8_t *header = b->data[i] + l->transport, *p = header + 20;
	uint32_t bytes = (uint32_t)(header[12] >> 4) * 4;
	if (bytes < 20)
		o->present |= BPE_TCP_OPTIONS_BAD, bytes = 20;
	if (bytes > l->end - l->transport)
		o->present |= BPE_TCP_OPTIONS_BAD, bytes = l->end - l->transport;
	for (const uint8_t *end = header + bytes; p < end && *p != END;) {
		if (*p == NOP) {
			p++;
			continue;
		}
		uint32_t left = (uint32_t)(end - p), length = left >= 2 ? p[1] : 0;
		bool good = length >= 2 && length <= left;
		if (!good) {
			o->present |= BPE_TCP_OPTIONS_BAD;
			break;
		}
		switch (*p) {
		case MSS:
			if ((good = length == 4))
				o->mss = bpei_be16(p + 2), o->present |= BPE_TCP_MSS;
			break;
		case WINDOW_SCALE:
			if ((good = length == 3))
				o->window_scale = p[2], o->present |= BPE_TCP_WINDOW_SCALE;
			break;
		case SACK_PERMITTED:
			if ((good = length == 2))
				o->present |= BPE_TCP_SACK_PERMITTED;
			break;
		case SACK:
			if (!(good = length > 2 && (length - 2) % 8 == 0 && length <= 34))
				break;
			o->present |= BPE_TCP_SACK;
			o->sack_count = (uint8_t)((length - 2) / 8);
			for (uint32_t k = 0; k < o->sack_count; k++)
				for (uint32_t edge = 0; edge < 2; edge++)
					o->sack[k][edge] = bpei_be32(p + 2 + 8 * k + 4 * edge);
			break;
		case TIMESTAMPS:
			if ((good = length == 10))
				o->timestamp = bpei_be32(p + 2),
				o->timestamp_echo = bpei_be32(p + 6),
				o->present |= BPE_TCP_TIMESTAMPS;
			break;
		default:
			break;
		}
		if (!good)
			o->present |= BPE_TCP_OPTIONS_BAD;
		p += length;
	}
	return 1;
}
