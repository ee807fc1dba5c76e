// SPDX-License-Identifier: MIT
// The header and the library from C++17: options, a whole run, a handler.
#include "bpfengine.h"

#include <cstdio>
#include <cstring>

static void on_batch(void *user, const bpe_batch *batch)
{
	*static_cast<unsigned long *>(user) += BPE_HAS(batch, meta) ? batch->count : 0;
}

int main()
{
	bpe_options options;
	bpe_error error{};
	bpe_engine *engine = nullptr;
	bpe_stats stats{};
	unsigned long seen = 0;
	bpe_options_init(&options);
	options.interface_name = "synth:count=1000";
	options.on_batch = on_batch;
	options.user = &seen;
	int failed = bpe_engine_open(&options, &engine, &error) != BPE_OK ||
		     bpe_engine_run(engine, 0, &error) != BPE_OK;
	if (!failed)
		bpe_engine_stats(engine, &stats);
	failed |= seen != 1000 || stats.delivered_packets != 1000 ||
		  std::strcmp(bpe_version(), BPE_VERSION) != 0;
	bpe_engine_close(engine);
	std::printf("%d passed, %d failed\n", !failed, failed);
	return failed;
}
