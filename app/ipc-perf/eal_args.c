/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eal_args.h"
#include "say.h"

/** Arguments added at most: -a BDF -a BDF, --no-huge -m N, --no-shconf, --no-telemetry,
 *  --lcores=0@N. */
#define ADDED_MAX 9
/** MiB without hugepages: mbufs of a port, and what EAL keeps for itself. */
#define NO_HUGE_MIB "128"

static const char *const own_memory_files[] = {"--file-prefix", "--proc-type", "--in-memory",
					       "--no-shconf",	"--huge-dir",  NULL};
static const char *const memory[] = {"-m", "--socket-mem", "--huge-dir", "--in-memory", NULL};
static const char *const legacy_memory[] = {"--no-huge", "--legacy-mem", NULL};
static const char *const telemetry[] = {"--no-telemetry", "--telemetry", NULL};
static const char *const allowed[] = {"-a", "--allow", NULL};
static const char *const devices[] = {"-a", "--allow", "-b", "--block", "--no-pci", NULL};
static const char *const cores[] = {"-l", "-c", "--lcores", NULL};

/** Whether the user gave one of these EAL options, alone, with =VALUE, or as -xVALUE. */
static bool
given(const struct options *options, const char *const *names)
{
	int i;

	for (; *names != NULL; names++) {
		size_t length = strlen(*names);

		for (i = 1; i < options->eal_argc; i++) {
			const char *text = options->argv[i];

			if (strncmp(text, *names, length) == 0 &&
			    (length == 2 || text[length] == '\0' || text[length] == '='))
				return true;
		}
	}
	return false;
}

static bool
hugepages_free(void)
{
	uint64_t pages = 0;
	glob_t files;
	size_t i;

	if (glob("/sys/kernel/mm/hugepages/hugepages-*/free_hugepages", 0, NULL, &files) != 0)
		return false;
	for (i = 0; i < files.gl_pathc && pages == 0; i++) {
		FILE *file = fopen(files.gl_pathv[i], "r");

		if (file == NULL)
			continue;
		if (fscanf(file, "%" SCNu64, &pages) != 1)
			pages = 0;
		fclose(file);
	}
	globfree(&files);
	return pages != 0;
}

static void
add(struct eal_args *args, const char *text)
{
	/* EAL moves the pointers about and leaves the text alone. */
	args->argv[args->argc++] = (char *)(uintptr_t)text;
}

/** Whether the port is named by its PCI address. */
static bool
port_is_pci(const struct options *options)
{
	struct rte_pci_addr address;
	const char *port = options->link.port;

	return port != NULL && rte_pci_addr_parse(port, &address) == 0;
}

/** Of a port: its PCI address, unless the user gave devices. NULL: it is none of PCI. */
static const char *
port_address(const struct options *options)
{
	return port_is_pci(options) && !given(options, allowed) ? options->link.port : NULL;
}

/** The one argument that is composed: NULL where none is needed. @return 0 or -ENOMEM */
static int
device_compose(struct eal_args *args, const struct options *options)
{
	const struct link_option *link = &options->link;
	const char *role = link->role == NHN_ROLE_HOST ? ",role=host" : "";
	int ret = 0;

	if (link->pci && link->peer != NULL)
		ret = asprintf(&args->device, "%s%s,peer=%s", link->bdf, role, link->peer);
	else if (link->pci)
		ret = asprintf(&args->device, "%s%s", link->bdf, role);
	else if (options->via == VIA_ETHDEV && link->text != NULL && link->port == NULL)
		/* A second queue for bulk, which both ends ask for. */
		ret = asprintf(&args->device, "--vdev=" VDEV_NAME ",%s,queues=2", link->text);
	if (ret >= 0)
		return 0;
	args->device = NULL;
	return -ENOMEM;
}

/** The core of --cores: an lcore's number is small, a CPU's need not be. @return 0 or -ENOMEM */
static int
lcores_compose(struct eal_args *args, const struct options *options)
{
	if (options->core_list == NULL ||
	    asprintf(&args->lcores, "--lcores=0@%s", options->core_list) >= 0)
		return 0;
	args->lcores = NULL;
	return -ENOMEM;
}

/** The devices, and that EAL takes no others. */
static void
devices_add(struct eal_args *args, const struct options *options)
{
	const struct link_option *link = &options->link;
	const char *address = port_address(options);

	if (address != NULL) {
		add(args, "-a");
		add(args, address);
		return;
	}
	/* A port's devices are the user's own. */
	if (link->port != NULL && given(options, devices))
		return;
	if (link->pci) {
		add(args, "-a");
		add(args, args->device);
		if (link->peer != NULL) {
			add(args, "-a");
			add(args, link->peer);
		}
		return;
	}
	/* EAL would probe this machine's own devices. */
	add(args, "--no-pci");
	if (args->device != NULL)
		add(args, args->device);
}

int
eal_args_compose(struct eal_args *args, const struct options *options)
{
	const struct link_option *link = &options->link;
	bool legacy = given(options, legacy_memory);
	int i;

	memset(args, 0, sizeof(*args));
	args->argv = calloc((size_t)options->eal_argc + ADDED_MAX + 1, sizeof(*args->argv));
	if (args->argv == NULL || device_compose(args, options) != 0 ||
	    lcores_compose(args, options) != 0) {
		say("There is no memory for EAL's arguments, expected some bytes: end other"
		    " programs.");
		eal_args_free(args);
		return -ENOMEM;
	}
	for (i = 0; i < options->eal_argc; i++)
		add(args, options->argv[i]);
	devices_add(args, options);
	/* A device under uio needs hugepages: without them EAL shall say so. */
	if (!link->pci && !port_is_pci(options) && !legacy && !given(options, memory) &&
	    !hugepages_free()) {
		add(args, "--no-huge");
		add(args, "-m");
		add(args, NO_HUGE_MIB);
		legacy = true;
	}
	/* Both keep two processes apart; EAL refuses the second one without hugepages. */
	if (!given(options, own_memory_files))
		add(args, legacy ? "--no-shconf" : "--in-memory");
	if (!given(options, telemetry))
		add(args, "--no-telemetry");
	if (args->lcores != NULL)
		add(args, args->lcores);
	else if (!given(options, cores))
		say("No core is chosen, so EAL takes the first one for this side: give each side"
		    " one of its own by -l N before --, or by --cores.");
	return 0;
}

void
eal_args_free(struct eal_args *args)
{
	free(args->argv);
	free(args->device);
	free(args->lcores);
}
