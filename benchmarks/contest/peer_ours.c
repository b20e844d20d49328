/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <nhn_link_text.h>
#include <nhn_region.h>

#include "peer_ours.h"

/* Between two rounds of a contestant lie those of all others: nobody is late within 60 s, which
 * is the most that the format allows. */
#define BEAT_PERIOD_US 1000000u
#define BEAT_MISSES 60u

/** Between the devices of a split link. */
#define PEER_KEY ",peer="

#define OPEN_NS UINT64_C(10000000000)
#define PAGE_BYTES 4096u

/* The adaptive idle policy: after so many pauses without work, sleeps of so long. */
#define WAIT_SLEEP_NS 50000
#define WAIT_SLEEPS 1000u

struct ours_memory {
	struct nhn_link *links; /**< NULL: the port's link */
	struct nhn_region own;
	struct nhn_region other;
	uint8_t *guarded; /**< of the contest's memory what this side must not write */
	size_t guarded_bytes;
	uint16_t port;
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void
ours_control(struct ours *ours)
{
	nhn_link_control(ours->link[ours->next], now_ns());
	if (++ours->next == ours->links)
		ours->next = 0;
}

void
ours_prepare(struct ours *ours)
{
	uint32_t i;

	for (i = 0; i < ours->links; i++)
		ours_control(ours);
	/* Near may have to see far's beat again before it may send: by its first turn. */
	ours->controlled = 0;
}

void
ours_wait(struct ours *ours, const struct nhn_rx *rx)
{
	const struct timespec sleep = {.tv_nsec = WAIT_SLEEP_NS};
	uint32_t turn;

	for (turn = 0; turn < WAIT_SLEEPS; turn++) {
		if (nhn_rx_waits(rx))
			return;
		nanosleep(&sleep, NULL);
		ours_turn(ours);
	}
}

/* ---- memory ---- */

static const struct ours_shape *
shape_of(const struct contest_place *place)
{
	return place->contestant->variant;
}

static uint32_t
links_of(const struct contest_place *place)
{
	return shape_of(place)->channels > 1 ? 1 : place->links;
}

static uint32_t
cells_of(const struct contest_place *place)
{
	if (place->ring != 0)
		return place->ring;
	return shape_of(place)->cells != 0 ? shape_of(place)->cells : OURS_CELLS;
}

static void
place_layout(const struct contest_place *place, struct nhn_layout *layout)
{
	const struct ours_shape *shape = shape_of(place);
	uint32_t i;

	nhn_layout_uniform(layout, shape->channels, shape->use, cells_of(place), shape->data_bytes);
	for (i = 0; i < shape->channels; i++)
		layout->entry[i].priority = (uint8_t)i;
}

/*
 * Links of a contest go from cell to cell all at once, those of guests do not: so that their
 * cells are not all in one set of the cache here, areas begin at different lines of pages.
 */
static size_t
area_bytes(const struct contest_place *place)
{
	struct nhn_layout layout;

	place_layout(place, &layout);
	return nhn_layout_offset(&layout, layout.channels) + NHN_AREA_ALIGN;
}

/* Whole pages: each side's have page tables of their own. */
static size_t
half_bytes(const struct contest_place *place)
{
	return (links_of(place) * area_bytes(place) + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

size_t
ours_shared_bytes(const struct contest_place *place)
{
	return 2 * half_bytes(place);
}

/* The areas of all links that near writes, then those that far writes. */
static int
areas_shared(struct ours *ours, const struct contest_place *place, struct nhn_link_config *config)
{
	const size_t half = half_bytes(place);
	const bool near = place->side == CONTEST_NEAR;
	uint8_t *other = place->shared + (near ? half : 0);

	config->own_area = place->shared + (near ? 0 : half);
	config->peer_area = other;
	config->own_bytes = config->peer_bytes = area_bytes(place);
	if (!shape_of(place)->split)
		return 0;
	if (mprotect(other, half, PROT_READ) != 0)
		return -errno;
	ours->memory->guarded = other;
	ours->memory->guarded_bytes = half;
	return 0;
}

/** Why a call failed, for the contest's answer. */
struct reason {
	char *text;
	size_t bytes;
};

static void
reason_keep(void *context, const char *sentence)
{
	const struct reason *reason = context;

	snprintf(reason->text, reason->bytes, "%s", sentence);
}

static int
region_open(struct nhn_region *region, enum nhn_region_kind kind, const char *path,
	    enum nhn_region_access access, struct reason *reason)
{
	struct nhn_region_config config;

	nhn_region_config_init(&config);
	config.kind = kind;
	config.path = path;
	config.access = access;
	config.log = reason_keep;
	config.log_context = reason;
	return nhn_region_open(region, &config);
}

/* What this side writes, and what it reads. @param other NULL: the other half of own */
static int
areas_regions(struct ours *ours, const struct contest_place *place, enum nhn_region_kind kind,
	      const char *own, const char *other, struct nhn_link_config *config,
	      struct reason *reason)
{
	struct ours_memory *memory = ours->memory;
	int ret = region_open(&memory->own, kind, own, NHN_REGION_READ_WRITE, reason);

	if (ret != 0)
		return ret;
	if (other == NULL) {
		nhn_link_joint(config, place->side == CONTEST_NEAR ? NHN_ROLE_HOST : NHN_ROLE_GUEST,
			       memory->own.base, memory->own.length);
		return 0;
	}
	ret = region_open(&memory->other, kind, other, NHN_REGION_READ_ONLY, reason);
	config->own_area = memory->own.base;
	config->own_bytes = memory->own.length;
	config->peer_area = memory->other.base;
	config->peer_bytes = memory->other.length;
	return ret;
}

/** Paths or addresses. */
#define PATH_BYTES 256u

/* Near's: the files that back the guest's devices. */
static int
areas_files(struct ours *ours, const struct contest_place *place, struct nhn_link_config *config,
	    struct reason *reason)
{
	const bool split = shape_of(place)->split;
	char memory[PATH_BYTES], near[PATH_BYTES];

	snprintf(memory, sizeof(memory), "%s/%s", place->folder, place->contestant->name);
	snprintf(near, sizeof(near), "%s/%s-near", place->folder, place->contestant->name);
	return areas_regions(ours, place, NHN_REGION_FILE, split ? near : memory,
			     split ? memory : NULL, config, reason);
}

/* Far's, in the guest. @return -EBUSY: vfio-pci holds the device */
static int
areas_devices(struct ours *ours, const struct contest_place *place, const char *device,
	      struct nhn_link_config *config, struct reason *reason)
{
	char own[PATH_BYTES];
	char *other;

	snprintf(own, sizeof(own), "%s", device);
	other = strstr(own, PEER_KEY);
	if (other != NULL) {
		*other = '\0';
		other += strlen(PEER_KEY);
	}
	return areas_regions(ours, place, NHN_REGION_PCI, own, other, config, reason);
}

/* @param device what the contestant has in the guest; NULL: there is no guest */
static int
areas_find(struct ours *ours, const struct contest_place *place, const char *device,
	   struct nhn_link_config *config, struct reason *reason)
{
	int ret;

	if (device == NULL)
		ret = areas_shared(ours, place, config);
	else if (place->side == CONTEST_NEAR)
		ret = areas_files(ours, place, config, reason);
	else
		ret = areas_devices(ours, place, device, config, reason);
	if (ret != 0 && reason->text[0] == '\0')
		snprintf(reason->text, reason->bytes, "no memory for %u links (%s)", place->links,
			 strerror(-ret));
	return ret;
}

/* ---- links ---- */

static int
links_init(struct ours *ours, const struct contest_place *place, struct nhn_link_config *config,
	   struct reason *reason)
{
	struct nhn_refusal refusal;
	uint32_t i;

	ours->memory->links =
		aligned_alloc(_Alignof(struct nhn_link), ours->links * sizeof(struct nhn_link));
	if (ours->memory->links == NULL) {
		snprintf(reason->text, reason->bytes, "no memory for %u links", ours->links);
		return -ENOMEM;
	}
	memset(ours->memory->links, 0, ours->links * sizeof(struct nhn_link));
	for (i = 0; i < ours->links; i++) {
		ours->link[i] = &ours->memory->links[i];
		config->link_id = i;
		if (nhn_link_init(ours->link[i], config, &refusal) != 0) {
			nhn_refusal_text(&refusal, reason->text, reason->bytes);
			return -EPROTO;
		}
		/* Of one link alone these may be other areas than the contest's. */
		config->own_area = (uint8_t *)config->own_area + area_bytes(place);
		config->peer_area = (const uint8_t *)config->peer_area + area_bytes(place);
	}
	return 0;
}

/* @param device as of areas_find() */
static int
links_open(struct ours *ours, const struct contest_place *place, const char *device,
	   struct reason *reason)
{
	struct nhn_link_config config = {
		.role = place->side == CONTEST_NEAR ? NHN_ROLE_HOST : NHN_ROLE_GUEST,
		.use = shape_of(place)->use,
		.beat_period_us = BEAT_PERIOD_US,
		.beat_misses = BEAT_MISSES,
		.random = (uint32_t)nhn_clock_now(),
	};
	int ret = areas_find(ours, place, device, &config, reason);

	if (ret == -EBUSY && place->side == CONTEST_FAR) {
		ours->link[0] = ours_pci_open(place, device, &ours->memory->port, reason->text,
					      reason->bytes);
		return ours->link[0] != NULL ? 0 : -EBUSY;
	}
	if (ret != 0)
		return ret;
	if (place->side == CONTEST_NEAR)
		place_layout(place, &config.layout);
	return links_init(ours, place, &config, reason);
}

/* In a guest each contestant has memory for one link. */
static int
links_open_there(struct ours *ours, const struct contest_place *place, struct reason *reason)
{
	const char *name = place->contestant->name;
	char device[PATH_BYTES];

	if (place->device[0] == '\0')
		return links_open(ours, place, NULL, reason);
	if (contest_device(place, device, sizeof(device)) != NULL && ours->links == 1)
		return links_open(ours, place, device, reason);
	snprintf(reason->text, reason->bytes,
		 "no device for %u links of %s, expected one link and"
		 " %s=BDF in --device",
		 ours->links, name, name);
	return -ENODEV;
}

static int
links_wait_up(struct ours *ours, struct reason *reason)
{
	const uint64_t begin = now_ns();
	uint32_t up = 0;

	while (up != ours->links) {
		ours->next = up;
		ours_control(ours);
		if (nhn_link_state(ours->link[up]) == NHN_LINK_UP) {
			up++;
		} else if (now_ns() - begin > OPEN_NS) {
			snprintf(reason->text, reason->bytes, "link %u is %s after 10 s", up,
				 nhn_link_state_text(nhn_link_state(ours->link[up])));
			return -ETIMEDOUT;
		}
	}
	ours->next = 0;
	return 0;
}

void *
ours_open(size_t peer_bytes, const struct contest_place *place, char *why, size_t why_bytes)
{
	struct ours *ours = calloc(1, peer_bytes);
	struct reason reason = {why, why_bytes};

	if (ours != NULL)
		ours->memory = calloc(1, sizeof(*ours->memory));
	if (ours == NULL || ours->memory == NULL) {
		snprintf(why, why_bytes, "no memory for %zu bytes",
			 peer_bytes + sizeof(*ours->memory));
		free(ours);
		return NULL;
	}
	ours->links = links_of(place);
	why[0] = '\0';
	if (links_open_there(ours, place, &reason) == 0 && links_wait_up(ours, &reason) == 0)
		return ours;
	ours_close(ours);
	return NULL;
}

void
ours_close(void *peer)
{
	struct ours *ours = peer;
	struct ours_memory *memory = ours->memory;
	uint32_t i;

	if (memory->links != NULL)
		for (i = 0; i < ours->links && ours->link[i] != NULL; i++)
			nhn_link_finish(ours->link[i]);
	else if (ours->link[0] != NULL)
		ours_pci_close(memory->port);
	free(memory->links);
	nhn_region_close(&memory->other);
	nhn_region_close(&memory->own);
	if (memory->guarded != NULL)
		mprotect(memory->guarded, memory->guarded_bytes, PROT_READ | PROT_WRITE);
	free(memory);
	free(ours);
}
