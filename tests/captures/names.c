/* SPDX-License-Identifier: MIT */
/* names FILE: prints the names of each flow of a savefile, a line a record, with tabs between:
 * transport, addresses and ports, application, flags, server name, ALPN, JA4, JA3, version and
 * cipher in hexadecimal, subject, issuer.  Exit code 3: the file is no savefile. */
#include "bpfengine.h"

#include <stdio.h>

static void print_names(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	const struct bpe_flow_names *n = &flow->names;
	const unsigned bytes = flow->ip_version == 6 ? 16 : 4;
	(void)user;
	(void)worker;

	printf("%u", flow->ip_proto);
	for (int end = 0; end < 2; end++) {
		putchar('\t');
		for (unsigned i = 0; i < bytes; i++)
			printf("%02x", flow->addr[end][i]);
		printf("\t%u", flow->port[end]);
	}
	printf("\t%u\t%x\t%s\t%s\t%s\t%s\t%04x\t%04x\t%s\t%s\n", n->app, n->flags, n->server,
		n->alpn, n->ja4, n->ja3, n->tls_version, n->tls_cipher, n->subject, n->issuer);
}

int main(int argc, char **argv)
{
	struct bpe_options o;
	struct bpe_engine *e;
	struct bpe_error error;

	bpe_options_init(&o);
	o.file = argc > 1 ? argv[1] : NULL;
	o.names = BPE_NAMES_ALL | BPE_NAMES_JA3;
	o.on_flow = print_names;
	if (bpe_engine_open(&o, &e, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 3;
	}
	bpe_engine_run(e, 0, NULL);
	bpe_engine_close(e);
	return 0;
}
