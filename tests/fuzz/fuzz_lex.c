/* SPDX-License-Identifier: MIT */
/* Any bytes as a filter's text, as they are: a program or a reason with a place, in bounded time.
 * The system is asked for no names. */
#include "bpfengine.h"
#include "filter/filter.h"
#include "fuzz.h"

#include <string.h>

void fuzz_lex(const uint8_t *bytes, size_t n)
{
	static const int links[] = { 1, 0, 101, 113, 105, 127, 258, 104 };
	if (n < 2 || n > 4096)
		return;
	char *text = malloc(n);
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e = { 0 };
	struct bpe_filter_options o;
	if (!text)
		abort();
	memcpy(text, bytes + 1, n - 1);
	text[n - 1] = 0;
	bpe_filter_options_init(&o);
	o.link_type = links[bytes[0] % 8];
	o.no_names = 1;
	if (bytes[0] >= 0xf8)
		o.through = 1u << bytes[0] % 8;
	for (const char *in = text; (in = strstr(in, "in"));
		in++) { /* "host in FILE": no files are read here */
		const char *path = in + 2 + strspn(in + 2, " \t\r\n");
		if (*path == '/' || *path == '.')
			goto done;
	}
	if (bpe_filter_compile_with(text, &o, &program, &length, &e) == BPE_OK) {
		FUZZ_CHECK(!bpei_filter_check(program, length));
		bpe_filter_free(program);
	} else {
		FUZZ_CHECK(e.text[0] && (e.status != BPE_E_ARGUMENT || strchr(e.text, '^')));
	}
done:
	free(text);
}
