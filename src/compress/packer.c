/* SPDX-License-Identifier: MIT */
/* Bytes to independent frames. */
#include "compress/compress.h"

#include "base/error.h"

#include <stdlib.h>

struct bpei_packer {
	const struct bpei_codec *codec;
	void *state;
	uint8_t *frame; /* of bpei_packer_pack, with its room */
	size_t frame_room;
};

int bpei_packer_open(
	enum bpei_packing packing, int level, struct bpei_packer **packer, struct bpe_error *error)
{
	const struct bpei_packing_levels levels = bpei_packing_levels(packing);
	const char *name = bpei_packing_name(packing);

	if (!bpei_packing_can_write(packing))
		return bpei_fail(error, BPE_E_UNSUPPORTED, "compress", 0,
			"this build cannot write %s: it was made without %s; write without "
			"compression, or build with the library",
			name, bpei_packing_library(packing));
	if (level == BPEI_PACKING_LEVEL_USUAL)
		level = levels.usual;
	if (level < levels.least || level > levels.most)
		return bpei_fail(error, BPE_E_ARGUMENT, "compress", 0,
			"%s has levels from %d to %d, not %d", name, levels.least, levels.most,
			level);
	struct bpei_packer *p = calloc(1, sizeof *p);

	if (p) {
		p->codec = bpei_codec_of(packing);
		p->state = p->codec->open_writer(level);
	}
	if (!p || !p->state) {
		free(p);
		return bpei_fail(error, BPE_E_MEMORY, "compress", 0, "no memory for %s", name);
	}
	*packer = p;
	return BPE_OK;
}

size_t bpei_packer_bound(struct bpei_packer *p, size_t n)
{
	return p->codec->bound(p->state, n);
}

size_t bpei_packer_frame(
	struct bpei_packer *p, const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
	return p->codec->write(p->state, in, n, out, room);
}

int bpei_packer_pack(void *packer, const void *bytes, size_t n, const void **out, size_t *out_bytes)
{
	struct bpei_packer *p = packer;
	const size_t bound = bpei_packer_bound(p, n);

	if (bound > p->frame_room) {
		free(p->frame);
		p->frame = malloc(bound);
		p->frame_room = p->frame ? bound : 0;
	}
	if (!p->frame)
		return BPE_E_MEMORY;
	*out = p->frame;
	*out_bytes = bpei_packer_frame(p, (const uint8_t *)bytes, n, p->frame, p->frame_room);
	return *out_bytes ? BPE_OK : BPE_E_MEMORY;
}

void bpei_packer_close(struct bpei_packer *p)
{
	if (!p)
		return;
	p->codec->close_writer(p->state);
	free(p->frame);
	free(p);
}
