/* SPDX-License-Identifier: BSD-3-Clause */
/* Which cores. cores_judge.c has what they are good for. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cores.h"

int
cores_eal_check(const char *name, int eal_argc, char **argv, cores_say *say)
{
	static const char *const names[] = {"-l", "-c", "--lcores", "--main-lcore"};
	int i;
	size_t j;

	for (i = 1; i < eal_argc; i++)
		for (j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			size_t length = strlen(names[j]);

			if (strncmp(argv[i], names[j], length) != 0 ||
			    (length > 2 && argv[i][length] != '\0' && argv[i][length] != '='))
				continue;
			say("%s is given together with %s of EAL, expected one of them: leave"
			    " out one.",
			    name, names[j]);
			return -EINVAL;
		}
	return 0;
}

void
cores_add(struct cores *cores, int cpu)
{
	size_t length = strlen(cores->list);

	if (cores->count == CORES_MAX)
		return;
	cores->cpu[cores->count++] = cpu;
	snprintf(cores->list + length, sizeof(cores->list) - length, "%s%d", length > 0 ? "," : "",
		 cpu);
}

void
cores_free(struct cores *cores)
{
	free(cores->checks);
	memset(cores, 0, sizeof(*cores));
}

/** A number below NHN_CHECK_CPUS_MAX at *@p text, which moves behind it. @return -1: none */
static int
number_take(const char **text)
{
	int number = 0;

	if (!isdigit((unsigned char)**text))
		return -1;
	for (; isdigit((unsigned char)**text); (*text)++) {
		number = number * 10 + (**text - '0');
		if (number >= NHN_CHECK_CPUS_MAX)
			return -1;
	}
	return number;
}

/** A list such as 2-5,8 without what is twice in it. @return 0 or -EINVAL */
static int
list_take(struct cores *cores, const char *text)
{
	for (;;) {
		int first = number_take(&text), last = first;
		unsigned int i;

		if (*text == '-') {
			text++;
			last = number_take(&text);
		}
		if (first < 0 || last < first)
			return -EINVAL;
		for (; first <= last; first++) {
			for (i = 0; i < cores->count; i++)
				if (cores->cpu[i] == first)
					return -EINVAL;
			if (cores->count == CORES_MAX)
				return -EINVAL;
			cores_add(cores, first);
		}
		if (*text == '\0')
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

static bool
is_allowed(const struct nhn_topo *topo, int cpu)
{
	const struct nhn_topo_cpu *core = nhn_topo_core(topo, cpu);

	return core != NULL && core->allowed;
}

/** "0-3,8": those that may be chosen. */
static void
allowed_print(const struct nhn_topo *topo, char *text, size_t bytes)
{
	size_t length = 0;
	int cpu, last;

	text[0] = '\0';
	for (cpu = 0; cpu < NHN_CHECK_CPUS_MAX && length < bytes; cpu = last + 1) {
		last = cpu;
		if (!is_allowed(topo, cpu))
			continue;
		while (is_allowed(topo, last + 1))
			last++;
		length += (size_t)snprintf(text + length, bytes - length,
					   last > cpu ? "%s%d-%d" : "%s%d", length > 0 ? "," : "",
					   cpu, last);
	}
}

/** The cores of the list. */
static int
named_take(struct cores *cores, const struct cores_wish *wish, const struct nhn_topo *topo)
{
	char allowed[256];
	unsigned int i;

	if (list_take(cores, wish->text) != 0) {
		wish->say("%s is '%s', expected auto, or numbers of cores such as 2 or 2-5,8,"
			  " each once.",
			  wish->name, wish->text);
		return -EINVAL;
	}
	for (i = 0; i < cores->count; i++) {
		if (is_allowed(topo, cores->cpu[i]))
			continue;
		allowed_print(topo, allowed, sizeof(allowed));
		wish->say("%s is %s, expected cores out of %s: this process can run on no core %d.",
			  wish->name, wish->text, allowed, cores->cpu[i]);
		return -ENOENT;
	}
	if (cores->count != wish->count) {
		wish->say("%s is %s, %u core%s, expected %u: as many as this program polls on.",
			  wish->name, wish->text, cores->count, cores->count == 1 ? "" : "s",
			  wish->count);
		return -EINVAL;
	}
	return nhn_topo_text(topo, cores->cpu, cores->count, cores->sentence,
			     sizeof(cores->sentence));
}

/** The best ones of the machine; what other programs poll on is not known. */
static int
best_take(struct cores *cores, const struct cores_wish *wish, const struct nhn_topo *topo)
{
	struct nhn_topo_wish best = {.count = wish->count, .node = -1};
	int cpus[CORES_MAX];
	unsigned int i;
	int ret;

	/* A device that cannot be found is told by those who open it. */
	if (wish->device != NULL)
		nhn_topo_device_node(topo, wish->device, &best.node);
	ret = nhn_topo_choose(topo, &best, cpus, cores->sentence, sizeof(cores->sentence));
	if (ret != 0) {
		wish->say("%s auto: %s", wish->name, cores->sentence);
		return ret;
	}
	for (i = 0; i < wish->count; i++)
		cores_add(cores, cpus[i]);
	return 0;
}

static void
hear(void *context, const char *sentence)
{
	const struct cores_wish *wish = context;

	wish->say("%s", sentence);
}

int
cores_choose(struct cores *cores, const struct cores_wish *wish)
{
	struct nhn_topo_config config = {.log = hear, .log_context = (void *)(uintptr_t)wish};
	struct nhn_topo topo;
	int ret;

	if (wish->machine != NULL) {
		config.synthetic = wish->machine->synthetic;
		config.root = wish->machine->root;
		config.allowed = wish->machine->allowed;
	}
	ret = nhn_topo_open(&topo, &config);
	if (ret != 0)
		return ret;
	if (strcmp(wish->text, "auto") == 0)
		ret = best_take(cores, wish, &topo);
	else
		ret = named_take(cores, wish, &topo);
	nhn_topo_close(&topo);
	return ret;
}
