// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// The page of a suite: what benchmarks/run measured, in the order a reader asks.
const suite = (() => {
	const { el } = dom;
	const { part, section } = parts;
	const WORKS = [
		{ works: ['trips'], title: 'Round trips', what: 'A message there and its answer back, one at a time.' },
		{ works: ['rate', 'bandwidth'], title: 'Rate and bandwidth',
			what: 'As many messages as go one way, sent in bursts.' },
		{ works: ['paced'], title: 'Latency under load', what: 'Messages at a fixed pace; latency counts from the time at ' +
			'which a message was to be sent.' },
		{ works: ['links'], title: 'Many links', what: 'Round trips while the far end serves so many links.' },
		{ works: ['queues'], title: 'Queues of a port', what: 'Round trips over so many queues of one port in turn, all polled.' },
		{ works: ['rings'], title: 'Ring size', what: 'Round trips, and rates in bursts, with so many entries in each ring. ' +
			'No law: the cost goes up and down with the caches that a ring fills.' },
		{ works: ['rpc'], title: 'Request and response', what: 'A call and its reply.' },
		{ works: ['mixed'], title: 'Control under bulk', together: ['size', 'bulk'], what: 'A small message each way while ' +
			'large ones fill a second link; the smallest and the largest of those tried that the contestant carries.' },
		{ works: ['wake'], title: 'Wake-up from idle', what: 'A message to an end that was idle.' },
	];
	const STATES = { met: 'All bars are met.', missed: 'Not all bars are met.',
		unknown: 'No bar that was measured is missed; not all were measured.', none: 'The document has no bars.' };

	// ---- which command made it ----

	function made(sheet, works) {
		const line = sheet.command.map(text.quoted).join(' ');
		const alone = works && ['benchmarks/run', '--out', 'DIR', '--works', works.join(','), ...suiteModel.sameFor(sheet.command)]
			.map(text.quoted).join(' ');
		return el('p', { class: 'note', 'data-made': works ? works.join() : 'all' }, 'Made by ',
			line ? el('code', {}, line) : 'a command that the document does not name',
			alone && ['; this part alone by ', el('code', {}, alone)], '.');
	}

	// ---- headline ----

	function header(sheet) {
		const { document: found } = sheet;
		const states = sheet.bars.map(suiteModel.barState);
		const count = (state) => states.filter((one) => one === state).length;
		const state = states.length === 0 ? 'none' : count('missed') ? 'missed' : count('unknown') ? 'unknown' : 'met';
		const title = model.string(found.label, 'Benchmark suite');
		const leftOut = model.array(found.left_out).length;
		document.title = title;
		return el('header', {}, el('h1', {}, el('bdi', {}, title)),
			parts.factsLine([parts.when(model.string(found.begun, null)), model.string(model.object(found.place).cpu, null),
				text.isNumber(found.seconds) && `took ${text.seconds(found.seconds)}`,
				text.isNumber(found.budget_s) && `budget ${text.seconds(found.budget_s)}`,
				model.string(found.commit, null) && `commit ${found.commit}`,
				`${text.count(sheet.contestants.length)} contestants`,
				leftOut > 0 && `${text.count(leftOut)} step${leftOut > 1 ? 's' : ''} left out`]),
			el('div', { class: `verdict ${state === 'none' ? 'unknown' : state}` }, el('p', {}, STATES[state], states.length > 0 &&
				` Met: ${count('met')}, missed: ${count('missed')}, not measured: ${count('unknown')}, of ${states.length}.`)),
			parts.command(sheet.command, 0));
	}

	// ---- a work ----

	// Selections above what they choose; show: gives the elements of a choice.
	function chooser(list, together, show) {
		const choices = suiteModel.choices(list, together);
		const chosen = Object.fromEntries(choices.map((choice) => [choice.key, choice.first]));
		const box = el('div', {});
		const render = () => box.replaceChildren(...show(chosen).flat(Infinity).filter(Boolean));
		const selects = choices.map(({ key, label, values, first }) => el('label', {}, label, ' ',
			el('select', { 'data-choice': key, onchange: (event) => {
				chosen[key] = values[event.target.selectedIndex];
				render();
			} }, values.map((value) => el('option', { selected: value === first }, suiteCharts.choice(key, value))))));
		render();
		return [selects.length > 0 && el('p', { class: 'choices' }, selects), box];
	}

	function rankings(sheet, title, list, byRate, chosen) {
		const shown = suiteModel.at(list, chosen);
		const where = suiteCharts.words(chosen);
		if (shown.length === 0)
			return [el('p', { class: 'note' }, `Nothing was measured at ${where}.`)];
		return suiteModel.groupsOf(list).map((group) => {
			const inGroup = (entry) => entry.group === group;
			const there = new Set(shown.map((entry) => suiteModel.keyOf(entry.name, entry.where)));
			const absent = sheet.contestants.filter((entry) => inGroup(entry) && !there.has(suiteModel.keyOf(entry.name, entry.where)));
			return suiteTables.ranking(`${title}, ${group}${where && `: ${where}`}`, list, shown.filter(inGroup), byRate, absent);
		});
	}

	// Of a work with both, trips and rates have a table each.
	function allRankings(sheet, work, list, chosen) {
		const halves = [false, true].map((byRate) => [byRate, suiteModel.ofRates(list, byRate)]).filter(([, half]) => half.length > 0);
		return halves.map(([byRate, half]) => rankings(sheet, byRate && halves.length > 1 ? `${work.title}, rate` : work.title, half,
			byRate, chosen));
	}

	function workSection(sheet, work) {
		const list = suiteModel.ofWorks(sheet, work.works);
		const id = `work-${work.works[0]}`;
		return section(id, work.title, el('p', {}, work.what), list.length === 0
			? el('p', { class: 'note', 'data-absent': work.works[0] }, 'Nothing of it is in the document.')
			: [part('The ranking', () => chooser(list, work.together, (chosen) => allRankings(sheet, work, list, chosen))),
				part('The charts', () => suiteCharts.charts(work.works[0], list))], made(sheet, work.works));
	}

	// Works this page does not know are told too.
	function works(sheet) {
		const known = WORKS.flatMap((work) => work.works);
		const names = new Set(sheet.figures.map(({ found }) => found.work));
		const more = [...names].filter((name) => typeof name === 'string' && !known.includes(name));
		return [...WORKS, ...more.map((name) => ({ works: [name], title: `Work: ${name}`, what: '' }))]
			.map((work) => workSection(sheet, work));
	}

	function tail(sheet) {
		const found = model.object(sheet.document.tail);
		return section('tail', `Tail: ${model.string(found.contestant, 'ours')} beside the raw line`,
			part('The table of the tail', () => suiteTables.tail(found)),
			part('The noise', () => suiteTables.noise(found)),
			part('The percentile chart', () => suiteCharts.tail(found)), made(sheet, ['tail']));
	}

	const METHOD = [
		['Limit', 'Round trip of one 32-bit word on a cache line of its own each way, on the same cores, right before and after ' +
			'each round. A round\u2019s ratio is its p50 over that limit; of the kept rounds the median and the quartiles.'],
		['p50', 'Of each kept round the median; of these the median and the quartiles.'],
		['Percentile', 'The smallest recorded value with at least that share of the samples of all kept rounds at or below it. It is ' +
			'given only where at least 100 samples lie on its scarcer side. In brackets: its bootstrap interval.'],
		['Reference', 'Less than a contestant: the bare ring passes cells and nothing else, the plain copy moves bytes in and out ' +
			'of the same memory. \u201cover\u201d is the median of per-round ratios of rates.'],
		['Bootstrap interval', 'As many rounds as there are, three at least, are drawn again with replacement; 95\u00a0% of the ' +
			'percentiles so found lie in it. Of the tail: of the ratios, ours and the raw line\u2019s rounds being drawn together.'],
		['Bar', 'Bursts are held against the bare ring of 1024 cells. Mbufs of 64 bytes are frames of 68 on a wire. Packed has up to ' +
			'7 messages in a cell. The best of several peers is the best of each turn, which is harder than the best median.'],
		['Rank', 'By the median ratio to the limit, then by p50: the limit of a machine may jump between states, and p50 with it. ' +
			'Rates rank by themselves.'],
		['Dropped', 'Rounds left out of the figures, and counted: the limit changed during them, messages were lost or came in ' +
			'another order, or the contestant refused. Of the tail a round of ours goes with that of the raw line beside it.'],
		['Range of a bar', 'Quartiles of the per-round ratios, or a 95\u00a0% interval; \u201cleft out\u201d counts rotations in which ' +
			'the limits of those compared differed by more than 20\u00a0%. What is counted has no range.'],
		['Noise', 'Page faults and context switches: counted by the kernel in the measured rounds. System calls and allocations: ' +
			'counted in separate runs of 100\u00a0000 trips, under strace and with a counting allocator. All of both processes.'],
		['Gaps of the clock loop', 'A loop on the same core that only reads the clock: the time from one reading to the next, each ' +
			'some ns. They are no trips; their largest show what the machine takes from any program.'],
	];

	// Only the first document is a page; a suite compares within itself.
	function build(documents) {
		const sheet = suiteModel.read(documents[0]);
		const problems = [...sheet.problems, ...(documents.length > 1
			? ['Only the first document is shown: a page holds one suite.'] : [])];
		return [
			part('The verdict', () => header(sheet)),
			problems.map((sentence) => el('p', { class: 'problem' }, sentence)),
			section('bars', 'Bars', part('The bars', () => sheet.bars.length > 0 && suiteTables.bars(sheet)), made(sheet)),
			section('contestants', 'Contestants and place', part('The contestants', () => sheet.contestants.length > 0 &&
				suiteTables.contestants(sheet)), part('The place', () => suiteTables.place(sheet)),
				part('The faults', () => suiteTables.faults(sheet)), made(sheet, ['attach'])),
			el('p', { class: 'note screen' }, parts.CHARTS_HOW),
			works(sheet),
			part('The tail', () => tail(sheet)),
			section('laws', 'Laws: how cost grows', part('The laws', () => sheet.laws.length > 0 && [suiteTables.laws(sheet),
				suiteCharts.laws(sheet.laws)]), made(sheet)),
			part('The plan', () => section('plan', 'Plan: beyond this machine', plan.panel(sheet), made(sheet))),
			section('method', 'How to read it', parts.method(METHOD)),
		];
	}

	return { build };
})();
