/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest's program for the tests of nahanni-worker, of libnahanni only: sends numbered
 * messages over a file, receives such, and checks each byte.
 *
 *     worker_client FILE[,PEER] KEY=VALUE...
 *
 *     send=N      messages to send; endless: until SIGTERM
 *     receive=N   messages to receive; as-sent: one for each that was sent
 *     sizes=LIST  of the messages, in turn
 *     window=N    sent and not received at most: what a restart of the daemon takes is sent
 *                 again
 *     id=N        of all messages sent; without: their number
 *     expect=N    of all messages received; without: as id
 *     channel=N
 *     go=FILE     nothing is sent before this file is there
 *     others=pass messages of other ids, and those that were given up, are passed over
 *
 * Exit 0: all came, in order and unchanged.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <nhn_endpoint.h>
#include <nhn_link_text.h>
#include <nhn_region.h>

#define BYTES_MAX (8u << 20)
#define SIZES_MAX 32
#define PATIENCE_NS UINT64_C(20000000000)
/** Polls without work after which the core is given away. */
#define IDLE_POLLS 2000
#define IDLE_NS 20000
#define ENDLESS UINT64_MAX

struct client {
	const char *path;
	const char *peer_path;
	uint64_t send;
	uint64_t receive;
	bool as_sent;
	bool others_pass;
	const char *go;
	uint32_t sizes[SIZES_MAX];
	uint32_t size_count;
	uint64_t window;
	uint64_t id;
	uint64_t expect;
	uint32_t channel;

	uint64_t sent;
	uint64_t received;
	uint64_t pairing;
	uint64_t pairings;
	uint64_t stale;
	uint64_t progress_ns;
	bool wrong;
};

static struct nhn_region own, peer;
static struct nhn_link link_of;
static struct nhn_endpoint endpoint;
static uint8_t out[BYTES_MAX], in[BYTES_MAX];
static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static uint64_t
now_ns(void *unused)
{
	struct timespec now;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
say_sentence(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "%s\n", sentence);
}

static void
say_event(void *context, const struct nhn_link *link, const struct nhn_link_event *event)
{
	char text[256];

	say_sentence(context, nhn_link_event_text(link, event, text, sizeof(text)));
}

/* ---- options ---- */

static void
usage(const char *text)
{
	fprintf(stderr, "worker_client: %s is no option\n", text);
	exit(2);
}

static uint64_t
number(const char *value)
{
	char *end;
	uint64_t result = strtoull(value, &end, 10);

	if (*end != '\0')
		usage(value);
	return result;
}

static void
sizes_take(struct client *client, char *value)
{
	char *rest, *size;

	for (size = strtok_r(value, ",", &rest); size != NULL; size = strtok_r(NULL, ",", &rest)) {
		if (client->size_count == SIZES_MAX || number(size) > BYTES_MAX)
			usage(size);
		client->sizes[client->size_count++] = (uint32_t)number(size);
	}
}

static void
option_take(struct client *client, char *text)
{
	char *value = strchr(text, '=');

	if (value == NULL)
		usage(text);
	*value++ = '\0';
	if (strcmp(text, "send") == 0)
		client->send = strcmp(value, "endless") == 0 ? ENDLESS : number(value);
	else if (strcmp(text, "receive") == 0 && strcmp(value, "as-sent") == 0)
		client->as_sent = true;
	else if (strcmp(text, "go") == 0)
		client->go = value;
	else if (strcmp(text, "others") == 0)
		client->others_pass = strcmp(value, "pass") == 0;
	else if (strcmp(text, "receive") == 0)
		client->receive = number(value);
	else if (strcmp(text, "sizes") == 0)
		sizes_take(client, value);
	else if (strcmp(text, "window") == 0)
		client->window = number(value);
	else if (strcmp(text, "id") == 0)
		client->id = client->expect = number(value);
	else if (strcmp(text, "expect") == 0)
		client->expect = number(value);
	else if (strcmp(text, "channel") == 0)
		client->channel = (uint32_t)number(value) % NHN_CHANNELS_MAX;
	else
		usage(text);
}

static void
options_take(struct client *client, int argc, char **argv)
{
	char *comma;
	int i;

	if (argc < 2)
		usage("nothing");
	client->id = client->expect = ENDLESS;
	client->window = ENDLESS;
	comma = strchr(argv[1], ',');
	if (comma != NULL)
		*comma++ = '\0';
	client->path = argv[1];
	client->peer_path = comma;
	for (i = 2; i < argc; i++)
		option_take(client, argv[i]);
	if (client->size_count == 0)
		client->size_count = 1; /* of 0 bytes */
}

/* ---- messages ---- */

/** Of the n-th message, which begins at 0. */
static uint32_t
size_of(const struct client *client, uint64_t n)
{
	return client->sizes[n % client->size_count];
}

static void
fill(uint8_t *bytes, uint32_t size, uint64_t n)
{
	uint32_t i;

	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t)(n * 31 + i * 7 + (i >> 8));
}

static bool
equal(const uint8_t *bytes, uint32_t size, uint64_t n)
{
	uint32_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != (uint8_t)(n * 31 + i * 7 + (i >> 8)))
			return false;
	return true;
}

/** After a restart of the daemon what was not answered is sent again. */
static bool
pairing_check(struct client *client)
{
	uint64_t pairing = nhn_link_tx_pairing(&link_of);

	if (pairing == 0)
		return false;
	if (pairing != client->pairing) {
		client->pairing = pairing;
		client->pairings++;
		if (client->window != ENDLESS)
			client->sent = client->received;
	}
	return true;
}

static void
send_next(struct client *client)
{
	struct nhn_msg_tx *tx = &endpoint.tx[client->channel];
	struct nhn_message_head head = {.type = 7};
	int ret;

	if (nhn_msg_busy(tx) || !pairing_check(client) || client->sent == client->send)
		return;
	if (client->window != ENDLESS && client->sent - client->received >= client->window)
		return;
	if (stopped && client->send == ENDLESS)
		return;
	if (client->go != NULL && access(client->go, F_OK) != 0)
		return;
	client->go = NULL;
	head.length = size_of(client, client->sent);
	head.id = (uint32_t)(client->id == ENDLESS ? client->sent : client->id);
	fill(out, head.length, client->sent);
	ret = nhn_msg_send(tx, &head, out);
	if (ret != 0 && ret != -EINPROGRESS)
		return;
	client->sent++;
	client->progress_ns = endpoint.now;
}

static void
received(struct client *client, const struct nhn_msg_buffer *buffer)
{
	uint64_t n = client->received;
	uint32_t id = (uint32_t)(client->expect == ENDLESS ? n : client->expect);

	if (client->others_pass && buffer->head.id != id)
		return;
	client->received++;
	client->progress_ns = endpoint.now;
	if (buffer->head.id == id && buffer->head.length == size_of(client, n) &&
	    buffer->head.type == 7 && equal(in, buffer->head.length, n))
		return;
	fprintf(stderr, "message %" PRIu64 ": id %u, %u bytes, expected id %u, %u bytes%s\n", n,
		buffer->head.id, buffer->head.length, id, size_of(client, n),
		equal(in, buffer->head.length, n) ? "" : ", other contents");
	client->wrong = true;
}

static void
receive_next(struct client *client, uint32_t channel, struct nhn_msg_buffer *buffer)
{
	int ret = nhn_msg_receive(&endpoint.rx[channel], buffer);

	if (ret == 0 && channel == client->channel)
		received(client, buffer);
	client->stale += ret == -ESTALE && channel == client->channel;
	if (ret == 0 || ret == -EINPROGRESS || ret == -EAGAIN || ret == -ESTALE)
		return;
	if (ret == -ECANCELED && client->others_pass)
		return;
	fprintf(stderr, "message %" PRIu64 ": %s\n", client->received, strerror(-ret));
	client->wrong = true;
}

static bool
all_done(const struct client *client)
{
	uint64_t wanted = client->as_sent ? client->sent : client->receive;

	if (client->send == ENDLESS ? !stopped : client->sent < client->send)
		return false;
	/* A restart may have taken what a window has to send again. */
	return client->received >= wanted && !nhn_msg_busy(&endpoint.tx[client->channel]) &&
	       (client->window == ENDLESS || client->received == client->sent);
}

static int
run(struct client *client)
{
	const struct timespec rest = {.tv_nsec = IDLE_NS};
	const struct iovec place = {.iov_base = in, .iov_len = sizeof(in)};
	struct nhn_msg_buffer buffer;
	uint32_t idle = 0;

	nhn_msg_buffer_init(&buffer, &place, 1);
	client->progress_ns = endpoint.now;
	while (!client->wrong && !all_done(client)) {
		uint64_t before = client->sent;
		int channel = nhn_endpoint_poll(&endpoint);

		if (channel >= 0)
			receive_next(client, (uint32_t)channel, &buffer);
		send_next(client);
		idle = channel == -EAGAIN && client->sent == before ? idle + 1 : 0;
		if (idle > IDLE_POLLS)
			nanosleep(&rest, NULL);
		if (endpoint.now - client->progress_ns > PATIENCE_NS) {
			fprintf(stderr, "nothing for a long time\n");
			client->wrong = true;
		}
	}
	return client->wrong ? 1 : 0;
}

/* ---- begin ---- */

static int
file_open(struct nhn_region *region, const char *path, bool writable, int64_t lock_byte)
{
	struct nhn_region_config config;

	nhn_region_config_init(&config);
	config.path = path;
	config.lock_byte = lock_byte;
	config.access = writable ? NHN_REGION_READ_WRITE : NHN_REGION_READ_ONLY;
	config.log = say_sentence;
	return nhn_region_open(region, &config);
}

static int
client_open(const struct client *client)
{
	bool split = client->peer_path != NULL;
	struct nhn_link_config config;
	struct nhn_refusal refusal;

	memset(&config, 0, sizeof(config));
	config.use = NHN_USE_MSG;
	config.random = (uint32_t)now_ns(NULL);
	config.event = say_event;
	if (file_open(&own, client->path, true, split ? 0 : 1) != 0)
		return -1;
	if (split && file_open(&peer, client->peer_path, false, -1) != 0)
		return -1;
	nhn_link_joint(&config, NHN_ROLE_GUEST, own.base, own.length);
	if (split) {
		config.own_area = own.base;
		config.own_bytes = own.length;
		config.peer_area = peer.base;
		config.peer_bytes = peer.length;
	}
	if (nhn_link_init(&link_of, &config, &refusal) != 0)
		return -1;
	nhn_endpoint_init(&endpoint, &link_of, now_ns, NULL);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct client client;
	int status = 1;

	options_take(&client, argc, argv);
	signal(SIGTERM, on_signal);
	if (client_open(&client) == 0)
		status = run(&client);
	printf("sent %" PRIu64 " received %" PRIu64 " restarts %" PRIu64 " stale %" PRIu64 "\n",
	       client.sent, client.received, client.pairings != 0 ? client.pairings - 1 : 0,
	       client.stale);
	nhn_link_finish(&link_of);
	nhn_region_close(&peer);
	nhn_region_close(&own);
	return status;
}
