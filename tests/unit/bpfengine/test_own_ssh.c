/* SPDX-License-Identifier: MIT */
/* Values of SSH_CONNECTION: what is no connection is refused, whatever the variable has. */
#include "tools/bpfengine/cli.h"

#include <criterion/criterion.h>

Test(own_ssh, connections)
{
	static const struct {
		const char *text, *client, *server;
		unsigned client_port, server_port;
	} rows[] = {
		{ "192.0.2.7 51234 198.51.100.9 22", "192.0.2.7", "198.51.100.9", 51234, 22 },
		{ "2001:db8::7 51234 2001:DB8:0::9 2222", "2001:db8::7", "2001:db8::9", 51234,
			2222 },
		{ "fe80::1%eth0 1 fe80::2%en0 65535", "fe80::1", "fe80::2", 1, 65535 },
		{ "::ffff:192.0.2.7 51234 ::ffff:198.51.100.9 22", "192.0.2.7", "198.51.100.9",
			51234, 22 },
	};

	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		struct cli_ssh ssh;

		cr_assert(cli_ssh_read(&ssh, rows[k].text), "%s", rows[k].text);
		cr_expect_str_eq(ssh.client, rows[k].client);
		cr_expect_str_eq(ssh.server, rows[k].server);
		cr_expect_eq(ssh.client_port, rows[k].client_port);
		cr_expect_eq(ssh.server_port, rows[k].server_port);
	}
}

Test(own_ssh, no_connections)
{
	static const char *const texts[] = {
		"", " ", "192.0.2.7", "192.0.2.7 51234 198.51.100.9",
		"192.0.2.7 51234 198.51.100.9 22 ", "192.0.2.7 51234 198.51.100.9 22 x",
		"192.0.2.7 0 198.51.100.9 22", "192.0.2.7 65536 198.51.100.9 22",
		"192.0.2.7 51234 198.51.100.9 -1", "192.0.2.7 51234 198.51.100.9 2 2",
		"192.0.2.7  51234 198.51.100.9 22", "192.0.2.7 0x1 198.51.100.9 22",
		"192.0.2.7 51234 2001:db8::9 22", "host 51234 198.51.100.9 22",
		"192.0.2.7) 51234 198.51.100.9 22", "192.0.2 51234 198.51.100.9 22",
		"192.0.2.7 51234 198.51.100.9 22)", "1:2 51234 198.51.100.9 22",
		"192.0.2.7 000022 198.51.100.9 22",
		"11111111111111111111111111111111111111111111111111111111111111111111111111111111 1 2 3"
	};

	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
		struct cli_ssh ssh;

		cr_expect_not(cli_ssh_read(&ssh, texts[k]), "%s", texts[k]);
	}
}
