/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers and descriptors of a peer: what is right passes, each single wrong is named. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nhn_peer.h>

#define AREA_BYTES (1u << 20)

static struct nhn_header header;
static struct nhn_layout layout;
static struct nhn_refusal refusal;

/* CRC-32 of IEEE 802.3, bit by bit from its definition: not the library's tables. */
static uint32_t
crc_bit_by_bit(const void *bytes, size_t count)
{
	const uint8_t *byte = bytes;
	uint32_t crc = ~0u;
	size_t i;
	int bit;

	for (i = 0; i < count; i++)
		for (bit = 0; bit < 8; bit++) {
			uint32_t in = (uint32_t)(byte[i] >> bit & 1);

			crc = (crc & 1) != in ? crc >> 1 ^ 0xedb88320u : crc >> 1;
		}
	return ~crc;
}

static void
seal(void)
{
	header.crc = crc_bit_by_bit(&header.version_major, sizeof(header) - 8);
}

static int
setup(void **state)
{
	(void)state;
	memset(&header, 0, sizeof(header));
	nhn_layout_uniform(&layout, 2, NHN_USE_RAW, 64, 4096);
	header.magic = NHN_MAGIC;
	header.version_major = NHN_VERSION_MAJOR;
	header.role = NHN_ROLE_HOST;
	header.area_bytes = AREA_BYTES;
	header.beat_period_us = 10000;
	header.beat_misses = 10;
	header.channels = 2;
	memcpy(header.table, layout.entry, sizeof(header.table));
	seal();
	return 0;
}

static int
check(void)
{
	memset(&refusal, 0xee, sizeof(refusal));
	memset(&layout, 0xee, sizeof(layout));
	return nhn_header_check(&header, NHN_ROLE_HOST, AREA_BYTES, &layout, &refusal);
}

static void
expect_refused(enum nhn_refusal_cause cause, uint32_t channel, uint64_t found)
{
	seal();
	assert_int_equal(check(), -EPROTO);
	assert_int_equal(refusal.cause, cause);
	assert_int_equal(refusal.channel, channel);
	assert_int_equal(refusal.found, found);
	setup(NULL);
}

static void
expect_good(void)
{
	seal();
	assert_int_equal(check(), 0);
	assert_int_equal(layout.channels, header.channels);
	assert_memory_equal(layout.entry, header.table, header.channels * sizeof(header.table[0]));
	setup(NULL);
}

static void
test_crc_known_answer(void **state)
{
	uint8_t *bytes = (uint8_t *)&header;
	size_t i;

	(void)state;
	assert_int_equal(crc_bit_by_bit("123456789", 9), 0xcbf43926u);
	assert_int_equal(nhn_header_crc(&header), header.crc);
	memset(&header, 0, sizeof(header));
	assert_int_equal(nhn_header_crc(&header),
			 crc_bit_by_bit(&header.version_major, sizeof(header) - 8));
	for (i = 8; i < sizeof(header); i++) {
		bytes[i] = (uint8_t)(i * 37 + 1);
		assert_int_equal(nhn_header_crc(&header),
				 crc_bit_by_bit(&header.version_major, sizeof(header) - 8));
	}
}

static void
test_good_header(void **state)
{
	(void)state;
	expect_good();
	header.version_minor = 7; /* tolerated */
	expect_good();
	header.features_offered = 0xffffffffu;
	expect_good();
	header.link_id = 9;
	header.mac[5] = 1;
	expect_good();
}

static void
test_wrong_identity(void **state)
{
	(void)state;
	header.magic = 0;
	expect_refused(NHN_REFUSAL_MAGIC, 0, 0);
	header.magic = NHN_MAGIC_FORMATTING;
	expect_refused(NHN_REFUSAL_MAGIC, 0, NHN_MAGIC_FORMATTING);
	header.version_major = 2;
	expect_refused(NHN_REFUSAL_VERSION, 0, 2);
	header.version_major = 0;
	expect_refused(NHN_REFUSAL_VERSION, 0, 0);
	header.role = NHN_ROLE_GUEST;
	expect_refused(NHN_REFUSAL_ROLE, 0, NHN_ROLE_GUEST);
	header.role = 0;
	expect_refused(NHN_REFUSAL_ROLE, 0, 0);
	header.area_bytes = AREA_BYTES / 2;
	expect_refused(NHN_REFUSAL_AREA_BYTES, 0, AREA_BYTES / 2);
	header.area_bytes = (uint64_t)1 << 32 | AREA_BYTES;
	expect_refused(NHN_REFUSAL_AREA_BYTES, 0, (uint64_t)1 << 32 | AREA_BYTES);
}

/* Each bit of the header but the magic and the CRC itself. */
static void
test_each_damaged_bit(void **state)
{
	size_t bit;

	(void)state;
	for (bit = 32; bit < sizeof(header) * 8; bit++) {
		((uint8_t *)&header)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(check(), -EPROTO);
		/* the major version is looked at first: another may have no CRC here */
		assert_int_equal(refusal.cause,
				 bit / 16 == 4 ? NHN_REFUSAL_VERSION : NHN_REFUSAL_CRC);
		((uint8_t *)&header)[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(check(), 0);
}

static void
test_heartbeat(void **state)
{
	(void)state;
	header.beat_period_us = 0;
	expect_refused(NHN_REFUSAL_HEARTBEAT, 0, 0);
	header.beat_misses = 0;
	expect_refused(NHN_REFUSAL_HEARTBEAT, 0, 0);
	header.beat_period_us = 6000000;
	expect_good();
	header.beat_period_us = 6000001;
	expect_refused(NHN_REFUSAL_HEARTBEAT, 0, 60000010);
	header.beat_period_us = 0x80000000u; /* 0 in 32 bits */
	header.beat_misses = 2;
	expect_refused(NHN_REFUSAL_HEARTBEAT, 0, (uint64_t)1 << 32);
	header.beat_period_us = UINT32_MAX;
	header.beat_misses = UINT32_MAX;
	expect_refused(NHN_REFUSAL_HEARTBEAT, 0, (uint64_t)UINT32_MAX * UINT32_MAX);
}

static void
test_channels(void **state)
{
	uint32_t i;

	(void)state;
	header.channels = 0;
	expect_refused(NHN_REFUSAL_CHANNELS, 0, 0);
	header.channels = 65;
	expect_refused(NHN_REFUSAL_CHANNELS, 0, 65);
	header.channels = UINT16_MAX;
	expect_refused(NHN_REFUSAL_CHANNELS, 0, UINT16_MAX);
	header.channels = 64;
	for (i = 0; i < 64; i++)
		header.table[i] = header.table[0];
	expect_good();
	header.channels = 3; /* a row in use that is all zero */
	expect_refused(NHN_REFUSAL_USE, 2, 0);
}

static void
test_use_and_cell_bytes(void **state)
{
	static const uint16_t bad[] = {0, 1, 32, 63, 65, 96, 127, 129, 192, 256, 0xff40};
	size_t i;

	(void)state;
	header.table[1].use = 0;
	expect_refused(NHN_REFUSAL_USE, 1, 0);
	header.table[1].use = NHN_USE_ETHERNET + 1;
	expect_refused(NHN_REFUSAL_USE, 1, NHN_USE_ETHERNET + 1);
	header.table[0].use = 255;
	expect_refused(NHN_REFUSAL_USE, 0, 255);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		header.table[1].cell_bytes = bad[i];
		expect_refused(NHN_REFUSAL_CELL_BYTES, 1, bad[i]);
	}
	header.table[1].cell_bytes = 128;
	expect_good();
	header.table[1].use = NHN_USE_ETHERNET;
	expect_refused(NHN_REFUSAL_CELL_BYTES, 1, 64);
	header.table[1].use = NHN_USE_ETHERNET;
	header.table[1].cell_bytes = 128;
	expect_good();
}

static void
test_cells(void **state)
{
	static const uint32_t bad[] = {
		0, 1, 8, 15, 17, 48, 65, (1u << 20) + 16, 1u << 21, 1u << 31, UINT32_MAX};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		header.table[1].cells = bad[i];
		expect_refused(NHN_REFUSAL_CELLS, 1, bad[i]);
	}
	header.table[1].cells = 16;
	expect_good();
	header.table[1].cells = 4096;
	expect_good();
}

static void
test_data_bytes(void **state)
{
	static const uint32_t bad[] = {
		1, 64, 2048, 4095, 4097, 6144, (1u << 30) + 4096, 1u << 31, UINT32_MAX};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		header.table[1].data_bytes = bad[i];
		expect_refused(NHN_REFUSAL_DATA_BYTES, 1, bad[i]);
	}
	header.table[1].data_bytes = 0;
	expect_good();
	header.table[1].data_bytes = 65536;
	expect_good();
}

static void
test_space(void **state)
{
	uint64_t needed;
	uint32_t i;

	(void)state;
	header.table[1].cells = 1u << 14; /* fills the area by its cells alone */
	expect_refused(NHN_REFUSAL_SPACE, 0, AREA_BYTES);
	header.table[1].data_bytes = 1u << 30;
	expect_refused(NHN_REFUSAL_SPACE, 0, AREA_BYTES);
	/* 64 rows of 2^26 + 2^30 bytes: their sum is 2^36 and more, in 32 bits small */
	header.channels = 64;
	for (i = 0; i < 64; i++) {
		header.table[i].use = NHN_USE_RAW;
		header.table[i].cell_bytes = 64;
		header.table[i].cells = 1u << 20;
		header.table[i].data_bytes = 1u << 30;
	}
	expect_refused(NHN_REFUSAL_SPACE, 0, AREA_BYTES);
	/* exactly what is needed, and a byte less */
	nhn_layout_uniform(&layout, 3, NHN_USE_RAW, 16, 4096);
	needed = nhn_layout_offset(&layout, 3);
	assert_int_equal(needed, 8192 + 3 * 8192);
	assert_int_equal(nhn_layout_check(&layout, needed, &refusal), 0);
	assert_int_equal(nhn_layout_check(&layout, needed - 1, &refusal), -EPROTO);
	assert_int_equal(refusal.cause, NHN_REFUSAL_SPACE);
	assert_int_equal(refusal.expected, needed);
}

/* Rows of more than 2^32 bytes fit no area of a few megabytes: nothing is cut off. */
static void
test_space_over_32_bits(void **state)
{
	(void)state;
	nhn_layout_uniform(&layout, 5, NHN_USE_RAW, 16, 1u << 30);
	assert_int_equal(nhn_layout_check(&layout, 1u << 24, &refusal), -EPROTO);
	assert_int_equal(refusal.cause, NHN_REFUSAL_SPACE);
	assert_int_equal(refusal.expected, 8192 + 5 * ((uint64_t)4096 + (1u << 30)));
}

static void
test_mtu(void **state)
{
	(void)state;
	header.mtu = 100000; /* no ethernet channel, no rule */
	expect_good();
	header.table[1].use = NHN_USE_ETHERNET;
	header.table[1].cell_bytes = 128;
	header.mtu = 2048 - NHN_FRAME_OVERHEAD;
	expect_good();
	header.table[1].use = NHN_USE_ETHERNET;
	header.table[1].cell_bytes = 128;
	header.mtu = 2049 - NHN_FRAME_OVERHEAD;
	expect_refused(NHN_REFUSAL_MTU, 1, 2049 - NHN_FRAME_OVERHEAD);
	header.table[1].use = NHN_USE_ETHERNET;
	header.table[1].cell_bytes = 128;
	header.mtu = UINT32_MAX;
	expect_refused(NHN_REFUSAL_MTU, 1, UINT32_MAX);
}

static void
test_torn_header(void **state)
{
	static struct nhn_control control;
	struct nhn_header copy;

	(void)state;
	control.header = header;
	control.session = 6;
	assert_int_equal(nhn_peer_header_copy(&control, 6, &copy), 0);
	assert_memory_equal(&copy, &header, sizeof(copy));
	control.session = 7; /* being rewritten */
	assert_int_equal(nhn_peer_header_copy(&control, 6, &copy), -EAGAIN);
	control.session = 8; /* rewritten */
	assert_int_equal(nhn_peer_header_copy(&control, 6, &copy), -EAGAIN);
	assert_int_equal(nhn_peer_header_copy(&control, 8, &copy), 0);
}

static void
test_layouts_compare_by_rows_in_use(void **state)
{
	struct nhn_layout a, b;

	(void)state;
	nhn_layout_uniform(&a, 2, NHN_USE_RAW, 64, 4096);
	b = a;
	b.entry[2].cells = 1;
	assert_true(nhn_layout_equal(&a, &b));
	b.entry[1].cells = 128;
	assert_false(nhn_layout_equal(&a, &b));
	b = a;
	b.channels = 1;
	assert_false(nhn_layout_equal(&a, &b));
	assert_int_equal(nhn_layout_offset(&a, 0), NHN_CONTROL_BYTES);
	assert_int_equal(nhn_layout_offset(&a, 1), NHN_CONTROL_BYTES + 64 * 64 + 4096);
	a.entry[0].cells = 16; /* to whole pages */
	assert_int_equal(nhn_layout_offset(&a, 1), NHN_CONTROL_BYTES + 8192);
	nhn_layout_uniform(&a, 1, NHN_USE_ETHERNET, 64, 4096);
	assert_int_equal(a.entry[0].cell_bytes, 128);
}

/* ---- descriptors ---- */

/* Byte by byte, with the ring's positions as plain integers that do not wrap. */
static bool
oracle(int64_t begin, uint32_t length, uint32_t held, uint32_t ring)
{
	int64_t next = (int64_t)held, end, i;

	if (ring == 0 || length < 1 || length > ring / 2 || begin % 64 != 0)
		return false;
	if (begin < next || begin - next >= ring / 2)
		return false;
	end = begin + ((int64_t)length + 63) / 64 * 64;
	for (i = begin; i < end; i++)
		if (i >= ring)
			return false; /* not given back, and not contiguous: the reader is at 0 */
	return true;
}

/* The reader gave back all before `base`, which stands at the begin of the ring. */
static void
exhaust(uint32_t base, uint32_t ring)
{
	uint32_t held, length;
	int32_t skip;

	for (held = 0; held <= ring; held += 64)
		for (skip = -130; skip <= (int32_t)ring + 130; skip += skip % 64 ? 1 : 31)
			for (length = 0; length <= ring + 65; length += length % 64 > 1 ? 61 : 1) {
				struct nhn_descriptor copy = {
					.position = base + held + (uint32_t)skip,
					.length = length,
				};
				int64_t begin = (int64_t)held + skip;

				assert_int_equal(
					nhn_descriptor_valid(&copy, base + held, held, ring),
					oracle(begin, length, held, ring));
			}
}

static void
test_descriptor_exhaustively(void **state)
{
	(void)state;
	exhaust(0, 512);
	exhaust(0u - 512, 512);
	exhaust(0x80000000u - 512, 512);
	exhaust(0, 1024);
}

/* The reader stands in the middle of the ring: ranges must not cross its end. */
static void
test_descriptor_at_the_wrap(void **state)
{
	static const uint32_t bases[] = {0, 0xfffff000u, 0xffffe000u, 0x7ffff000u};
	size_t i;
	uint32_t place, length, skip;

	(void)state;
	for (i = 0; i < 4; i++)
		for (place = 0; place < 4096; place += 64)
			for (skip = 0; skip < 4096; skip += 64)
				for (length = 1; length <= 2048; length += 63) {
					struct nhn_descriptor copy = {bases[i] + place + skip,
								      length};
					uint32_t at = (place + skip) % 4096;
					uint32_t padded = (length + 63) / 64 * 64;

					assert_int_equal(nhn_descriptor_valid(
								 &copy, bases[i] + place, 0, 4096),
							 at + length <= 4096 && skip < 2048 &&
								 skip + padded <= 4096);
				}
}

static void
test_descriptor_overflow_candidates(void **state)
{
	static const uint32_t lengths[] = {0x7fffffff, 0x80000000, 0xffffffc0, 0xffffffc1,
					   0xffffffff};
	static const uint32_t rings[] = {0, 4096, 1u << 30};
	size_t i, k;
	uint32_t position;

	(void)state;
	for (i = 0; i < 5; i++)
		for (k = 0; k < 3; k++)
			for (position = 0; position < 1024; position += 64) {
				struct nhn_descriptor copy = {0u - position, lengths[i]};

				assert_false(
					nhn_descriptor_valid(&copy, copy.position, 0, rings[k]));
				copy.length = 0;
				assert_false(
					nhn_descriptor_valid(&copy, copy.position, 0, rings[k]));
			}
	for (position = 0; position < 1024; position++) {
		struct nhn_descriptor copy = {position, position};

		assert_false(nhn_descriptor_valid(&copy, position, 0, 0));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_crc_known_answer, setup),
		cmocka_unit_test_setup(test_good_header, setup),
		cmocka_unit_test_setup(test_wrong_identity, setup),
		cmocka_unit_test_setup(test_each_damaged_bit, setup),
		cmocka_unit_test_setup(test_heartbeat, setup),
		cmocka_unit_test_setup(test_channels, setup),
		cmocka_unit_test_setup(test_use_and_cell_bytes, setup),
		cmocka_unit_test_setup(test_cells, setup),
		cmocka_unit_test_setup(test_data_bytes, setup),
		cmocka_unit_test_setup(test_space, setup),
		cmocka_unit_test_setup(test_space_over_32_bits, setup),
		cmocka_unit_test_setup(test_mtu, setup),
		cmocka_unit_test_setup(test_torn_header, setup),
		cmocka_unit_test_setup(test_layouts_compare_by_rows_in_use, setup),
		cmocka_unit_test_setup(test_descriptor_exhaustively, setup),
		cmocka_unit_test_setup(test_descriptor_at_the_wrap, setup),
		cmocka_unit_test_setup(test_descriptor_overflow_candidates, setup),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
