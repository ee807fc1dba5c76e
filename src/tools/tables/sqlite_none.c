/* SPDX-License-Identifier: MIT */
/* Flow records as an SQLite table: a build without SQLite refuses the target.  Stateless. */
#include "tools/tables/tables.h"

#include <stdio.h>

static int check_no_sqlite(const struct export_address *address, char *why, size_t room)
{
	(void)address;
	snprintf(why, room,
		"this bpfengine was built without SQLite: install libsqlite3-dev and build with"
		" -Dsqlite=enabled, or name a file that ends in .parquet or .json");
	return -1;
}

const struct export_sink sqlite_sink = {
	.scheme = "sqlite",
	.usage = "--flows NAME.sqlite",
	.check = check_no_sqlite,
};
