/* SPDX-License-Identifier: BSD-3-Clause */
/* One side of a pair as a program of its own, so that the other may be of another machine:
 *
 *     pair_side host|guest REGION LEDGER MESSAGES [msg|echo]
 *
 * LEDGER is a file that both have mapped: what pair_test.c keeps in memory. With echo there is
 * no ledger at the other end, which sends back what it gets; with msg both use lib/msg. */

#include <fcntl.h>

#include "pair_ledger.h"
#include "process.h"

/* Both sides make it, with the same words in it. NULL: said why */
static struct pair_ledger *
ledger_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	void *memory;

	if (fd < 0 || ftruncate(fd, sizeof(struct pair_ledger)) != 0) {
		perror(path);
		return NULL;
	}
	memory = mmap(NULL, sizeof(struct pair_ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED) {
		perror(path);
		return NULL;
	}
	return memory;
}

int
main(int argc, char **argv)
{
	enum nhn_role role = NHN_ROLE_HOST;
	struct pair_ledger *ledger;
	int status;

	if (argc < 5 || argc > 6) {
		fprintf(stderr, "usage: pair_side host|guest REGION LEDGER MESSAGES [msg|echo]\n");
		return 2;
	}
	if (strcmp(argv[1], "guest") == 0)
		role = NHN_ROLE_GUEST;
	ledger = ledger_open(argv[3]);
	if (ledger == NULL)
		return 2;
	ledger->messages = (uint32_t)strtoul(argv[4], NULL, 10);
	ledger->echo = argc == 6 && strcmp(argv[5], "echo") == 0;
	ledger->msg = argc == 6 && strcmp(argv[5], "msg") == 0;
	status = pair_side_run(ledger, role, argv[2]);
	if (status != 0)
		fprintf(stderr, "%s failed at pair_side.c:%u\n", argv[1],
			ledger->status[role - 1].failed);
	return status;
}
