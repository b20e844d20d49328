/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PMD's device arguments. Input: a byte that names the probe, then the text.
 *
 * rte_log() is this file's own, so that each sentence is formatted and looked at.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>

#include <nahanni_args.h>
#include <nahanni_log.h>

#include "fuzz.h"

int nahanni_logtype = 1000; /* no library's */
static unsigned int sentences;

int
rte_log(uint32_t level, uint32_t logtype, const char *format, ...)
{
	char text[256];
	va_list arguments;
	int bytes;

	if (logtype != (uint32_t)nahanni_logtype)
		return 0; /* EAL, while it is loaded */
	va_start(arguments, format);
	bytes = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	FUZZ_CHECK(level == RTE_LOG_ERR && bytes > 0);
	FUZZ_CHECK(strncmp(text, "net_nahanni: ", 13) == 0);
	sentences++;
	return 0;
}

/* A value is a text of its key, as it stands in the input. */
static void
check_text(const char *text, const char *value)
{
	FUZZ_CHECK(value == NULL || (value[0] != '\0' && strstr(text, value) != NULL));
}

static void
check_vdev(const char *text, const struct nahanni_args *args)
{
	FUZZ_CHECK(args->role == NHN_ROLE_HOST || args->role == NHN_ROLE_GUEST);
	FUZZ_CHECK(strstr(text, args->role == NHN_ROLE_HOST ? "host" : "guest") != NULL);
	FUZZ_CHECK(args->path != NULL);
	check_text(text, args->path);
	check_text(text, args->peer);
	check_text(text, args->group);
	FUZZ_CHECK(args->peer == NULL || strcmp(args->peer, args->path) != 0);
	FUZZ_CHECK(args->size == 0 ||
		   (__builtin_popcountll(args->size) == 1 && args->size >= 4096));
	FUZZ_CHECK((args->mode & ~(mode_t)0775) == 0);
	FUZZ_CHECK(args->mode == 0 || (args->mode & 0600) == 0600);
	FUZZ_CHECK(args->role == NHN_ROLE_HOST || (args->mode == 0 && args->group == NULL));
	FUZZ_CHECK(!args->peer_device);
}

static void
check_pci(const char *text, const struct nahanni_args *args)
{
	struct rte_pci_addr other = args->peer_address;

	FUZZ_CHECK(args->role == NHN_ROLE_GUEST || strstr(text, "role=host") != NULL);
	FUZZ_CHECK(args->path == NULL && args->peer == NULL && args->group == NULL);
	FUZZ_CHECK(args->size == 0 && args->mode == 0);
	FUZZ_CHECK(nahanni_args_name_peer(text, &args->peer_address) == args->peer_device);
	other.devid ^= 1;
	FUZZ_CHECK(!nahanni_args_name_peer(text, &other));
}

static void
parse(const char *text, enum nahanni_probe probe)
{
	struct nahanni_args args;
	int ret = nahanni_args_parse(text, probe, &args);

	FUZZ_CHECK(ret == 0 || ret == -EINVAL);
	FUZZ_CHECK((ret != 0) == (sentences == 1));
	FUZZ_CHECK((ret == 0) == (args.list != NULL));
	if (ret == 0) {
		FUZZ_CHECK(args.queues >= 1 && args.queues <= 64);
		if (probe == NAHANNI_PROBE_VDEV)
			check_vdev(text, &args);
		else
			check_pci(text, &args);
	}
	nahanni_args_free(&args);
	nahanni_args_free(&args);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static const struct rte_pci_addr address = {.bus = 0, .devid = 4, .function = 0};
	struct fuzz_input input = {bytes, count};
	uint8_t probe = fuzz_u8(&input);
	char *text = malloc(input.left + 1);

	FUZZ_CHECK(text != NULL);
	text[input.left] = '\0';
	fuzz_take(&input, text, input.left);
	sentences = 0;
	parse(text, probe & 1 ? NAHANNI_PROBE_PCI : NAHANNI_PROBE_VDEV);
	nahanni_args_name_peer(text, &address); /* any driver's arguments */
	free(text);
	return 0;
}
