/* SPDX-License-Identifier: BSD-3-Clause */
/* The ordering pairs of doc/memory-ordering, each cut down to a few accesses, in every
 * execution that the C11 memory model has (relacy's full search): with the orderings nothing
 * goes wrong, and with one side relaxed something does.
 *
 * A plain access (rl::var) fails when it races, a check when a value came that must not. */

#include <relacy/relacy.hpp>

namespace
{

using rl::mo_acquire;
using rl::mo_relaxed;
using rl::mo_release;
using order = rl::memory_order;
using atomic_word = rl::atomic<unsigned>;
using bytes = rl::var<unsigned>;

/* A: a message. */
template <order STORE, order LOAD> struct pair_a : rl::test_suite<pair_a<STORE, LOAD>, 2> {
	atomic_word commit;
	bytes body;

	void
	before()
	{
		commit.store(0, mo_relaxed, $);
		VAR(body) = 0;
	}

	void
	thread(unsigned index)
	{
		if (index == 0) {
			VAR(body) = 1;
			commit.store(1, STORE, $);
		} else if (commit.load(LOAD, $) == 1) {
			RL_ASSERT(VAR(body) == 1);
		}
	}
};

/* B: bytes are read, given back and written again. */
template <order STORE, order LOAD> struct pair_b : rl::test_suite<pair_b<STORE, LOAD>, 2> {
	atomic_word cursor;
	bytes body;

	void
	before()
	{
		cursor.store(0, mo_relaxed, $);
		VAR(body) = 1;
	}

	void
	thread(unsigned index)
	{
		if (index == 0) {
			RL_ASSERT(VAR(body) == 1);
			cursor.store(1, STORE, $);
		} else if (cursor.load(LOAD, $) == 1) {
			VAR(body) = 2;
		}
	}
};

/* C: a new life (4) of a side whose former one (2) had opened for this reader (6). */
template <order STORE, order LOAD> struct pair_c_start : rl::test_suite<pair_c_start<STORE, LOAD>, 2> {
	atomic_word session, open;

	void
	before()
	{
		session.store(2, mo_relaxed, $);
		open.store(6, mo_relaxed, $);
	}

	void
	thread(unsigned index)
	{
		if (index == 0) {
			session.store(3, mo_relaxed, $);
			open.store(0, mo_relaxed, $);
			session.store(4, STORE, $);
		} else if (session.load(LOAD, $) == 4) {
			RL_ASSERT(open.load(mo_acquire, $) == 0);
		}
	}
};

/* C: the reader sees the writer's life end, then looks into the ring a last time. */
template <order STORE, order LOAD> struct pair_c_end : rl::test_suite<pair_c_end<STORE, LOAD>, 2> {
	atomic_word session, commit;

	void
	before()
	{
		session.store(2, mo_relaxed, $);
		commit.store(0, mo_relaxed, $);
	}

	void
	thread(unsigned index)
	{
		if (index == 0) {
			commit.store(1, mo_release, $);
			session.store(3, STORE, $);
		} else if (session.load(LOAD, $) != 2) {
			RL_ASSERT(commit.load(mo_acquire, $) == 1);
		}
	}
};

/* C: two words of a header and the session that brackets them. */
template <order SESSION, order STORE, order FIRST, order LOAD>
struct header : rl::test_suite<header<SESSION, STORE, FIRST, LOAD>, 2> {
	atomic_word session, word[2];

	void
	before()
	{
		session.store(2, mo_relaxed, $);
		word[0].store(1, mo_relaxed, $);
		word[1].store(1, mo_relaxed, $);
	}

	void
	thread(unsigned index)
	{
		unsigned even, copy[2];

		if (index == 0) {
			session.store(3, mo_relaxed, $);
			word[0].store(2, STORE, $);
			word[1].store(2, STORE, $);
			session.store(4, SESSION, $);
			return;
		}
		even = session.load(FIRST, $);
		copy[0] = word[0].load(LOAD, $);
		copy[1] = word[1].load(LOAD, $);
		if (even != 3 && session.load(mo_relaxed, $) == even)
			RL_ASSERT(copy[0] == even / 2 && copy[1] == even / 2);
	}
};

/* D: where the reader stopped is where the writer begins. */
template <order STORE, order LOAD> struct pair_d : rl::test_suite<pair_d<STORE, LOAD>, 2> {
	atomic_word cursor, seen;

	void
	before()
	{
		cursor.store(4, mo_relaxed, $);
		seen.store(0, mo_relaxed, $);
	}

	void
	thread(unsigned index)
	{
		if (index == 0) {
			cursor.store(5, mo_release, $);
			seen.store(2, STORE, $);
		} else if (seen.load(LOAD, $) == 2) {
			RL_ASSERT(cursor.load(mo_relaxed, $) == 5);
		}
	}
};

/* D, E and the confirmation in a row, with a body that is read, then cleared for and written
 * again: the confirmation needs no order of its own. */
template <order STORE, order LOAD> struct confirm : rl::test_suite<confirm<STORE, LOAD>, 2> {
	atomic_word seen, open, commit;
	bytes body;

	void
	before()
	{
		seen.store(0, mo_relaxed, $);
		open.store(0, mo_relaxed, $);
		commit.store(1, mo_relaxed, $);
		VAR(body) = 1;
	}

	void
	reader()
	{
		RL_ASSERT(VAR(body) == 1);
		seen.store(2, mo_release, $);
		if (open.load(mo_acquire, $) != 6)
			return;
		seen.store(3, STORE, $);
		if (commit.load(mo_acquire, $) != 0)
			RL_ASSERT(VAR(body) == 2);
	}

	void
	writer()
	{
		if (seen.load(mo_acquire, $) != 2)
			return;
		commit.store(0, mo_relaxed, $);
		open.store(6, mo_release, $);
		if (seen.load(LOAD, $) != 3)
			return;
		VAR(body) = 2;
		commit.store(2, mo_release, $);
	}

	void
	thread(unsigned index)
	{
		if (index == 0)
			reader();
		else
			writer();
	}
};

/* E: a cell of a former life is cleared before the reader looks. */
template <order STORE, order LOAD> struct pair_e : rl::test_suite<pair_e<STORE, LOAD>, 2> {
	atomic_word commit, open;

	void
	before()
	{
		commit.store(1, mo_relaxed, $);
		open.store(0, mo_relaxed, $);
	}

	void
	thread(unsigned index)
	{
		if (index == 0) {
			commit.store(0, mo_relaxed, $);
			open.store(2, STORE, $);
		} else if (open.load(LOAD, $) == 2) {
			RL_ASSERT(commit.load(mo_acquire, $) == 0);
		}
	}
};

/* The second look, at a writer that does not wait but clears before it writes. */
template <bool FENCE> struct second_look : rl::test_suite<second_look<FENCE>, 2> {
	atomic_word commit, body;

	void
	before()
	{
		commit.store(1, mo_relaxed, $);
		body.store(1, mo_relaxed, $);
	}

	void
	thread(unsigned index)
	{
		unsigned copy;

		if (index == 0) {
			commit.store(0, mo_relaxed, $);
			rl::atomic_thread_fence(mo_release, $);
			body.store(2, mo_relaxed, $);
		} else if (commit.load(mo_acquire, $) == 1) {
			copy = body.load(mo_relaxed, $);
			if (FENCE)
				rl::atomic_thread_fence(mo_acquire, $);
			RL_ASSERT(copy == 1 || commit.load(mo_relaxed, $) != 1);
		}
	}
};

enum barrier { MEMBARRIER, OWN_FENCE };

/* The driver's gate: two bursts against one step of control. */
template <barrier BARRIER, order LEAVE, order LOOK, order OPEN, order ENTER>
struct gate_of_driver : rl::test_suite<gate_of_driver<BARRIER, LEAVE, LOOK, OPEN, ENTER>, 2> {
	atomic_word busy, gate, commit;
	bytes link;

	void
	before()
	{
		busy.store(0, mo_relaxed, $);
		gate.store(0, mo_relaxed, $);
		commit.store(0, mo_relaxed, $);
		VAR(link) = 0;
	}

	void
	burst()
	{
		busy.store(1, mo_relaxed, $);
		if (gate.load(ENTER, $) == 0) {
			commit.store(1, mo_release, $); /* control may step in here */
			VAR(link) = VAR(link) + 1;
		}
		busy.store(0, LEAVE, $);
	}

	void
	control()
	{
		gate.store(1, mo_relaxed, $);
		if (BARRIER == MEMBARRIER)
			rl::systemwide_fence($);
		else
			rl::atomic_thread_fence(rl::mo_seq_cst, $);
		if (busy.load(LOOK, $) != 0)
			return;
		VAR(link) = VAR(link) + 1;
		gate.store(0, OPEN, $);
	}

	void
	thread(unsigned index)
	{
		if (index == 0) {
			burst();
			burst();
		} else {
			control();
		}
	}
};

unsigned unexpected;

template <typename LITMUS>
void
run(const char *name, const char *what, bool holds)
{
	rl::test_params params;
	rl::ostringstream ignored;
	bool held;

	params.search_type = rl::fair_full_search_scheduler_type;
	params.progress_stream = &ignored;
	held = rl::run_test<LITMUS, rl::full_search_scheduler<2>>(params, ignored, false) ==
	       rl::test_result_success;
	std::cout << (held ? "holds  " : "fails  ") << name << ": " << what << ", "
		  << params.stop_iteration << " executions"
		  << (held == holds ? "" : "  UNEXPECTED") << std::endl;
	unexpected += held != holds;
}

template <template <order, order> class PAIR>
void
run_pair(const char *name, bool needed = true)
{
	run<PAIR<mo_release, mo_acquire>>(name, "release, acquire", true);
	run<PAIR<mo_relaxed, mo_acquire>>(name, "store relaxed", !needed);
	run<PAIR<mo_release, mo_relaxed>>(name, "load relaxed", !needed);
}

void
run_header()
{
	const char *name = "header";

	run<header<mo_release, mo_release, mo_acquire, mo_acquire>>(name, "as it is", true);
	run<header<mo_relaxed, mo_release, mo_acquire, mo_acquire>>(name, "session store relaxed",
								    false);
	run<header<mo_release, mo_relaxed, mo_acquire, mo_acquire>>(name, "word stores relaxed",
								    false);
	run<header<mo_release, mo_release, mo_relaxed, mo_acquire>>(name, "session load relaxed",
								    false);
	run<header<mo_release, mo_release, mo_acquire, mo_relaxed>>(name, "word loads relaxed",
								    false);
}

void
run_gate()
{
	const char *name = "gate";

	run<gate_of_driver<MEMBARRIER, mo_release, mo_acquire, mo_release, mo_acquire>>(
		name, "as it is", true);
	run<gate_of_driver<OWN_FENCE, mo_release, mo_acquire, mo_release, mo_acquire>>(
		name, "a fence of control's own for membarrier", false);
	run<gate_of_driver<MEMBARRIER, mo_relaxed, mo_acquire, mo_release, mo_acquire>>(
		name, "busy store relaxed", false);
	run<gate_of_driver<MEMBARRIER, mo_release, mo_relaxed, mo_release, mo_acquire>>(
		name, "busy load relaxed", false);
	run<gate_of_driver<MEMBARRIER, mo_release, mo_acquire, mo_relaxed, mo_acquire>>(
		name, "gate store relaxed", false);
	run<gate_of_driver<MEMBARRIER, mo_release, mo_acquire, mo_release, mo_relaxed>>(
		name, "gate load relaxed", false);
}

} // namespace

int
main()
{
	run_pair<pair_a>("A");
	run_pair<pair_b>("B");
	run_pair<pair_c_start>("C-start");
	run_pair<pair_c_end>("C-end");
	run_header();
	run_pair<pair_d>("D");
	run_pair<confirm>("confirm", false);
	run_pair<pair_e>("E");
	run<second_look<true>>("second-look", "fence", true);
	run<second_look<false>>("second-look", "no fence", false);
	run_gate();
	if (unexpected != 0)
		std::cerr << "litmus: " << unexpected << " verdicts unexpected" << std::endl;
	return unexpected != 0;
}
