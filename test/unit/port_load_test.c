/* SPDX-License-Identifier: BSD-3-Clause */
/* The warning of uncached memory, by a clock that the test moves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nahanni.h"

int nahanni_logtype = RTE_LOGTYPE_USER1;

static struct nhn_control areas[2];
static struct rte_eth_dev_data data = {.name = "net_nahanni0"};
static char said[4096];

/** Each span of 32 loads, between an even call and an odd one, takes *context ns. */
static uint64_t
stepping(void *context)
{
	static unsigned int calls;
	static uint64_t now;

	now += calls++ % 2 == 0 ? 1000 : *(const uint64_t *)context;
	return now;
}

/** @return how many warnings it said, in @ref said */
static unsigned int
measure(struct nahanni_port *port, uint64_t span_ns)
{
	FILE *log = tmpfile();
	unsigned int lines = 0;
	size_t got, i;

	assert_non_null(log);
	port->data = &data;
	assert_int_equal(rte_openlog_stream(log), 0);
	nahanni_load_measure(port, stepping, &span_ns);
	assert_int_equal(rte_openlog_stream(NULL), 0);
	rewind(log);
	got = fread(said, 1, sizeof(said) - 1, log);
	said[got] = '\0';
	fclose(log);
	for (i = 0; i < got; i++)
		lines += said[i] == '\n';
	return lines;
}

static void
test_cached_memory_is_told_of_by_figures_only(void **state)
{
	struct nahanni_port port = {.own_area = &areas[0], .peer_area = &areas[1]};

	(void)state;
	assert_int_equal(measure(&port, 48 * 32), 0);
	assert_int_equal(port.own_load_ns, 49);
	assert_int_equal(port.peer_load_ns, 49);
}

static void
test_uncached_memory_is_warned_of_an_area(void **state)
{
	struct nahanni_port port = {.own_area = &areas[0], .peer_area = &areas[1]};

	(void)state;
	assert_int_equal(measure(&port, 49 * 32), 2);
	assert_int_equal(port.own_load_ns, 50);
	assert_int_equal(port.peer_load_ns, 50);
	assert_non_null(strstr(said, "net_nahanni0: a load of the own area takes 50 ns"));
	assert_non_null(strstr(said, "the peer's area takes 50 ns, expected below 50"));
	assert_non_null(strstr(said, "device-dax"));
}

/** A split link's peer is not known before the port is started. */
static void
test_no_area_no_figure(void **state)
{
	struct nahanni_port port = {.own_area = &areas[0], .peer_load_ns = 7};

	(void)state;
	assert_int_equal(measure(&port, 300 * 32), 1);
	assert_int_equal(port.own_load_ns, 301);
	assert_int_equal(port.peer_load_ns, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cached_memory_is_told_of_by_figures_only),
		cmocka_unit_test(test_uncached_memory_is_warned_of_an_area),
		cmocka_unit_test(test_no_area_no_figure),
	};

	return cmocka_run_group_tests_name("port_load", tests, NULL, NULL);
}
