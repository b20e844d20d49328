/* SPDX-License-Identifier: BSD-3-Clause */
/* Both ends of a link under relacy, which gives a load any value that the C11 memory model lets
 * it have: the library's own code, its atomic operations and copies sent to the simulator by
 * weak_words.h. Every run is told by its number alone, so that a failure repeats.
 *
 * Two things relacy does not do: a load never sees a store that is not yet made (threads_test
 * finds the races that would show), and what was copied is compared, not checked for races.
 *
 * usage: weak_test RUNS same|other */

#include <memory>

#include <relacy/relacy.hpp>
#undef new
#undef delete
#undef free
#undef malloc

#include "side.h"
#include "weak_words.h"

namespace
{

using word = rl::generic_atomic<uint32_t, true>; /* begins as 0, seen by all */

constexpr size_t BYTES = 2 * SIDE_AREA_BYTES;
constexpr size_t WORDS = BYTES / sizeof(uint32_t);

/* Where the shared words seem to be. Holds what they were at first; their values are kept as
 * the difference to it. */
alignas(4096) uint8_t memory[BYTES];
alignas(word) unsigned char words[WORDS][sizeof(word)];
bool constructed[WORDS];
unsigned stay[2]; /* operations that a side still makes without a change of thread */

side host, guest;
side_flags flags[2];
side_plan plan;

bool
shared(const void *at)
{
	return rl::is_ctx() && at >= memory && at < memory + BYTES;
}

size_t
index_of(const void *at)
{
	size_t offset = static_cast<size_t>(static_cast<const uint8_t *>(at) - memory);

	RL_ASSERT(offset % sizeof(uint32_t) == 0);
	return offset / sizeof(uint32_t);
}

word &
word_at(size_t index)
{
	void *place = words[index];

	if (!constructed[index])
		::new (place) word();
	constructed[index] = true;
	return *static_cast<word *>(place);
}

uint32_t
first_value(size_t index)
{
	uint32_t value;

	memcpy(&value, memory + index * sizeof(value), sizeof(value));
	return value;
}

rl::memory_order
relacy_order(int order)
{
	return order == __ATOMIC_ACQUIRE ? rl::mo_acquire
	       : order == __ATOMIC_RELEASE ? rl::mo_release
					   : rl::mo_relaxed;
}

/* One side runs on for one operation or for hundreds: what goes wrong between two neighbouring
 * loads needs a whole start of the peer there. */
struct turn {
	bool alone;

	turn()
	{
		static const unsigned lengths[] = {0, 0, 4, 400};
		unsigned &left = stay[rl::thread_index()];

		alone = left != 0;
		if (alone)
			left--;
		else
			left = lengths[rl::rand(4)];
		if (alone)
			rl::ctx().disable_preemption();
	}

	~turn()
	{
		if (alone)
			rl::ctx().enable_preemption();
	}
};

} // namespace

uint32_t
weak_load(const uint32_t *at, int order)
{
	if (!shared(at))
		return *at;
	turn now;
	return word_at(index_of(at)).load(relacy_order(order), $) ^ first_value(index_of(at));
}

void
weak_store(uint32_t *at, uint32_t value, int order)
{
	if (!shared(at)) {
		*at = value;
		return;
	}
	turn now;
	word_at(index_of(at)).store(value ^ first_value(index_of(at)), relacy_order(order), $);
}

void
weak_fence(int order)
{
	rl::atomic_thread_fence(relacy_order(order), $);
}

void *
weak_copy(void *to, const void *from, size_t bytes)
{
	uint32_t *to_word = static_cast<uint32_t *>(to);
	const uint32_t *from_word = static_cast<const uint32_t *>(from);
	uint32_t value;

	if (!shared(to) && !shared(from))
		return memcpy(to, from, bytes);
	RL_ASSERT(bytes % sizeof(value) == 0);
	for (size_t i = 0; i < bytes / sizeof(value); i++) {
		if (shared(from))
			value = weak_load(from_word + i, __ATOMIC_RELAXED);
		else
			memcpy(&value, from_word + i, sizeof(value));
		if (shared(to))
			weak_store(to_word + i, value, __ATOMIC_RELAXED);
		else
			memcpy(to_word + i, &value, sizeof(value));
	}
	return to;
}

void *
weak_set(void *to, int byte, size_t bytes)
{
	if (!shared(to))
		return memset(to, byte, bytes);
	RL_ASSERT(byte == 0 && bytes % sizeof(uint32_t) == 0);
	for (size_t i = 0; i < bytes / sizeof(uint32_t); i++)
		weak_store(static_cast<uint32_t *>(to) + i, 0, __ATOMIC_RELAXED);
	return to;
}

namespace
{

const char *failed; /* kept here as relacy's own report is every step of the run */
uint64_t messages;

struct link_run : rl::test_suite<link_run, 2> {
	void
	before()
	{
		static const uint32_t lives[] = {10, 25, 60};
		uint64_t seed = rl::rand(1u << 30);

		plan.life = lives[rl::rand(3)];
		memset(constructed, 0, sizeof(constructed));
		memset(flags, 0, sizeof(flags));
		memset(stay, 0, sizeof(stay));
		side_open(&host, NHN_ROLE_HOST, memory, flags, &plan, seed);
		side_open(&guest, NHN_ROLE_GUEST, memory, flags, &plan, seed);
	}

	void
	thread(unsigned index)
	{
		side &self = index == 0 ? host : guest;

		while (side_turn(&self))
			rl::yield(1, $);
		expect_none(self.failed);
	}

	void
	after()
	{
		expect_none(sides_compare(&host, &guest));
		for (const side *self : {&host, &guest})
			for (const side_ledger &ledger : self->taken)
				for (uint32_t i = 0; i < ledger.rows; i++)
					messages += ledger.row[i].messages;
		for (size_t i = 0; i < WORDS; i++)
			if (constructed[i])
				word_at(i).~word();
	}

	static void
	expect_none(const char *sentence)
	{
		if (sentence == nullptr)
			return;
		failed = sentence;
		RL_ASSERT(false);
	}
};

} // namespace

int
main(int count, char **arguments)
{
	rl::test_params params;
	rl::ostringstream state;

	if (count != 3) {
		std::cerr << "usage: weak_test RUNS same|other" << std::endl;
		return 2;
	}
	plan.lives = 6;
	plan.last = 2;
	plan.longest = 100;
	plan.turns = 20000;
	plan.stir = 1;
	plan.rude = 100;
	plan.same_layout = strcmp(arguments[2], "same") == 0;
	params.iteration_count = strtoull(arguments[1], nullptr, 0);
	params.execution_depth_limit = 10000000;
	params.progress_stream = &state;
	side_memory_age(memory);
	rl::test_result_e result =
		rl::run_test<link_run, rl::random_scheduler<2>>(params, state, false);
	if (result != rl::test_result_success) {
		std::cerr << "weak_test: run " << params.stop_iteration << ": "
			  << (failed != nullptr ? failed : rl::test_result_str(result))
			  << std::endl;
		return 1;
	}
	std::cout << params.stop_iteration << " runs, " << messages << " messages" << std::endl;
	return 0;
}
