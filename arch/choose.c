/* SPDX-License-Identifier: MIT */
/* Chooses the backend that runs, and says why a choice is impossible.
 *
 * A build with -Darch=all has every backend of the CPU's family.  The first call of a kernel asks
 * the CPU and stores a pointer to a constant.  Threads at the same time all store the same value.
 * A build with -Darch=NAME has a single choice and makes direct calls. */
#include "arch/arch_list.h"
#include "base/environment.h"

#include <stdio.h>

const struct bpei_backend *_Atomic bpei_backend_chosen;

static const char variable[] = "BPFENGINE_ARCH";

/* Returns the first choice in bpei_backends; all later backends are choices, too. */
static const struct bpei_backend *first_choice(void)
{
	const bool has_all = !strcmp(BPEI_ARCH_TEXT, "all");

	return &bpei_backends[has_all ? 0 : BPEI_BACKENDS - 1];
}

const struct bpei_backend *bpei_backend_find(
	const struct bpei_backend *list, size_t count, const char *wanted)
{
	const struct bpei_backend *best = NULL;

	for (size_t k = 0; k < count; k++)
		if ((!wanted || !strcmp(list[k].name, wanted)) && list[k].cpu_fits())
			best = &list[k];
	return best;
}

/* Returns the user's wish: a name, or NULL. */
static const char *wanted_name(void)
{
	const char *value = bpei_environment_get(variable);

	return value && *value ? value : NULL;
}

static const struct bpei_backend *find_choice(const char *wanted)
{
	const struct bpei_backend *first = first_choice();

	return bpei_backend_find(first, (size_t)(bpei_backends + BPEI_BACKENDS - first), wanted);
}

const struct bpei_backend *bpei_backend_choose(void)
{
	const struct bpei_backend *chosen = find_choice(wanted_name());

	/* Engines refuse a wrong name.  A call without an engine gets the best. */
	if (!chosen)
		chosen = find_choice(NULL);
	if (!chosen)
		chosen = first_choice();
	atomic_store_explicit(&bpei_backend_chosen, chosen, memory_order_relaxed);
	return chosen;
}

enum bpei_unfit bpei_backend_check(char *text, size_t room)
{
	const char *wanted = wanted_name();
	char fitting[64] = "";
	size_t used = 0;

	if (find_choice(wanted))
		return BPEI_FITS;
	for (const struct bpei_backend *b = first_choice(); b < bpei_backends + BPEI_BACKENDS; b++)
		if (b->cpu_fits() && used < sizeof fitting)
			used += (size_t)snprintf(fitting + used, sizeof fitting - used, "%s%s",
				used ? ", " : "", b->name);
	if (!used) {
		snprintf(text, room, "this build needs a CPU with %s; build with -Darch=all",
			BPEI_ARCH_TEXT);
		return BPEI_UNFIT_CPU;
	}
	snprintf(text, room, "%s=%.24s: no kernels of that name run here; there are %s", variable,
		wanted, fitting);
	return BPEI_UNFIT_WANTED;
}
