/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packing, the sending half: many small messages of one size in each cell, seven of
 * 8 bytes in a cache line, where the rate of messages counts more than the time of one.
 *
 *     ./pack_receiver /dev/shm/nahanni
 *     ./pack_sender /dev/shm/nahanni       in another terminal
 */
#include "example.h"
#include "reading.h"

static struct nhn_node me;
static struct reading readings[READINGS_AT_ONCE];

/** A sensor's readings number @p first and following. */
static void
take_readings(uint32_t first)
{
	uint32_t i;

	for (i = 0; i < READINGS_AT_ONCE; i++) {
		readings[i].number = first + i;
		readings[i].value = reading_value(first + i);
	}
}

int
main(int argc, char **argv)
{
	struct nhn_msg_tx *tx = &me.endpoint.tx[0];
	uint32_t sent = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: pack_sender FILE\n");
		return 2;
	}
	if (example_open(&me, NHN_ROLE_GUEST, argv[1]) != 0)
		return 1;
	example_catch_signals();
	while (sent < READINGS && !example_stopped) {
		uint32_t done = 0;

		take_readings(sent);
		/* Less than all where the ring is full; nothing while nobody reads. */
		while (done < READINGS_AT_ONCE && !example_stopped) {
			done += nhn_msg_send_packed(tx, READING_TYPE, &readings[done],
						    sizeof(readings[0]), READINGS_AT_ONCE - done);
			nhn_endpoint_poll(&me.endpoint);
		}
		sent += done;
	}
	printf("%u readings sent\n", sent);
	nhn_node_close(&me); /* what was sent stays there to be read */
	return sent != READINGS;
}
