/* SPDX-License-Identifier: MIT */
/* replay [CORPUS]: runs every file of CORPUS/<target>/ through the fuzz target.  Each file has a
 * separate process, so a crash is a failure of the file and not the end.  Ends with "N passed, N
 * failed". */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_BYTES (1u << 20)

static const struct {
	const char *name;
	void (*run)(const uint8_t *, size_t);
} targets[] = {
	{ "apps", fuzz_apps },
	{ "bpf", fuzz_bpf },
	{ "compile", fuzz_compile },
	{ "copy", fuzz_copy },
	{ "dns", fuzz_dns },
	{ "engine", fuzz_engine },
	{ "export", fuzz_export },
	{ "filter", fuzz_filter },
	{ "lex", fuzz_lex },
	{ "naming", fuzz_naming },
	{ "options", fuzz_options },
	{ "packed", fuzz_packed },
	{ "parse", fuzz_parse },
	{ "print", fuzz_print },
	{ "push", fuzz_push },
	{ "quic", fuzz_quic },
	{ "rewrite", fuzz_rewrite },
	{ "savefile", fuzz_savefile },
	{ "sinks", fuzz_sinks },
	{ "synth_options", fuzz_synth_options },
	{ "table", fuzz_table },
	{ "tls", fuzz_tls },
	{ "top", fuzz_top },
	{ "tpacket", fuzz_tpacket },
	{ "where", fuzz_where },
};

static int replay_file(void (*run)(const uint8_t *, size_t), const char *path)
{
	uint8_t *bytes = malloc(MOST_BYTES);
	FILE *file = fopen(path, "rb");
	if (!bytes || !file)
		return fprintf(stderr, "%s: %s\n", path, strerror(errno)), 1;
	size_t n = fread(bytes, 1, MOST_BYTES, file);
	fclose(file);
	uint8_t *exact = malloc(n + !n);
	if (!exact)
		return 1;
	memcpy(exact, bytes, n);
	free(bytes);
	run(exact, n);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	const char *corpus = argc > 1 ? argv[1] : "tests/fuzz/corpus";
	unsigned long passed = 0, failed = 0;
	for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
		char path[4096];
		unsigned long before = passed + failed;
		snprintf(path, sizeof path, "%s/%s", corpus, targets[t].name);
		DIR *directory = opendir(path);
		for (struct dirent *entry; directory && (entry = readdir(directory));) {
			int status = -1;
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s/%s/%s", corpus, targets[t].name,
				entry->d_name);
			fflush(NULL);
			pid_t child = fork();
			if (!child) {
				closedir(directory); /* or a leak checker would report the copy */
				alarm(60);           /* a hang is a failure */
				exit(replay_file(targets[t].run, path));
			}
			if (child > 0)
				while (waitpid(child, &status, 0) < 0 && errno == EINTR)
					continue;
			if (!status)
				passed++;
			else
				failed++,
					printf("%s: failed (status %#x)\n", path, (unsigned)status);
		}
		if (directory)
			closedir(directory);
		if (passed + failed == before)
			failed++, printf("%s/%s: nothing to replay\n", corpus, targets[t].name);
	}
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed ? 1 : 0;
}
