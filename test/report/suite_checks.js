// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// What the page of a suite must show: each figure of the document, what is missing, the plan.
const { HOSTILE } = require('./suite_fixtures.js');

const MISSING = '\u2013';
const PLAN_KEYS = ['message', 'busy', 'needed', 'per_core', 'load', 'trip', 'alone', 'shared'];
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const array = (value) => Array.isArray(value) ? value : [];
const object = (value) => isObject(value) ? value : {};

// Runs in the page: the figures at each choice, then each input of the plan changed.
function walk(inputs) {
	const figures = {};
	const collect = () => document.querySelectorAll('[data-figure]').forEach((cell) => {
		const copy = cell.cloneNode(true);
		copy.querySelectorAll('sup, .soft').forEach((mark) => mark.remove());
		figures[cell.dataset.figure] = { value: cell.dataset.value, text: copy.textContent.replace(/\u202f/g, ''),
			reason: Boolean(cell.querySelector('sup')) };
	});
	const choose = (selects) => {
		if (selects.length === 0) {
			collect();
			return;
		}
		for (let i = 0; i < selects[0].options.length; i += 1) {
			selects[0].selectedIndex = i;
			selects[0].dispatchEvent(new Event('change'));
			choose(selects.slice(1));
		}
	};
	const texts = (selector) => [...document.querySelectorAll(selector)].map((node) => node.textContent);
	const first = document.querySelector('#work-trips .ranking');
	const ringTables = texts('#work-rings .ranking caption');
	const ranking = first ? [...first.querySelectorAll('[data-figure$="/p50.median"]')].map((cell) => cell.dataset.figure) : [];
	document.querySelectorAll('section').forEach((section) => choose([...section.querySelectorAll('select')]));
	const planned = inputs.map((values) => {
		for (const [key, value] of Object.entries(values)) {
			const input = document.querySelector(`[data-input="${key}"]`);
			if (input) {
				input.value = String(value);
				input.dispatchEvent(new Event('input'));
			}
		}
		const found = [...document.querySelectorAll('.calculation [data-figure]')].map((cell) => [cell.dataset.figure, cell.dataset.value]);
		return { figures: Object.fromEntries(found), beyond: texts('[data-beyond]').length, fits: texts('[data-fits] .badge') };
	});
	return { figures, ranking, planned, made: texts('[data-made]'), absent: texts('[data-absent]'),
		marks: texts('[data-mark="plan"], .calculation caption'),
		badges: texts('#bars .badge'), intervals: texts('[data-interval]'), against: texts('[data-against]'),
		facts: texts('.facts-line'), ringTables,
		uncounted: texts('[data-uncounted]'), heads: texts('#tail th'), captions: texts('#plan caption'), footnotes: texts('#plan .footnotes'),
		terms: Object.fromEntries([...document.querySelectorAll('#method dt')].map((term) =>
			[term.textContent, term.nextSibling.textContent])),
		versions: texts('[data-key^="versions."]'), missing: texts('[data-missing]'), listed: texts('[data-listed]'), title: document.title,
		bold: document.querySelectorAll('b').length, sections: texts('main h2'), text: document.body.textContent };
}

function expected(document) {
	const wanted = [];
	const pair = (of) => typeof object(of).p25 === 'number' ? [of.p25, of.p75] : null;
	const add = (key, value) => wanted.push([key, value]);
	array(document.bars).map(object).forEach((bar, i) => {
		add(`bars/${i}/bar`, bar.bar);
		['value', 'rounds', 'apart'].forEach((key) => add(`bars/${i}/${key}`, bar[key]));
		add(`bars/${i}/range`, typeof bar.low === 'number' ? [bar.low, bar.high] : null);
	});
	array(document.contestants).map(object).forEach((one, i) => ['attach_ns', 'near_kib', 'far_kib', 'shared_kib']
		.forEach((key) => add(`contestants/${i}/${key}`, one[key])));
	array(document.figures).map(object).forEach((figure, i) => {
		if (typeof figure.work !== 'string')
			return;
		const byRate = figure.work.startsWith('rate') || (figure.work.startsWith('rings') && figure.burst !== null);
		for (const key of byRate ? ['rate'] : ['ratio', 'p50']) {
			add(`figures/${i}/${key}.median`, object(figure[key]).median);
			add(`figures/${i}/${key}.quartiles`, pair(figure[key]));
		}
		if (byRate)
			add(`figures/${i}/bytes_per_s.median`, object(figure.bytes_per_s).median);
		if (typeof object(figure.over).median === 'number') {
			add(`figures/${i}/over.median`, figure.over.median);
			add(`figures/${i}/over.quartiles`, pair(figure.over));
		}
		for (const [key, value] of Object.entries(object(figure.percentiles)))
			if (/^p99/.test(key) && typeof value === 'number') {
				add(`figures/${i}/percentiles/${key}`, value);
				add(`figures/${i}/percentiles/${key}/interval`, object(figure.intervals)[key]);
			}
		for (const key of [...(byRate ? [] : ['limit_ns']), 'samples', 'rounds', 'dropped', 'lost', 'misordered'])
			if (typeof figure[key] === 'number')
				add(`figures/${i}/${key}`, figure[key]);
	});
	const tail = object(document.tail);
	for (const name of ['p99', 'p99.9', 'p99.99']) {
		['ours', 'raw', 'floor'].forEach((key) => add(`tail/${key}/${name}`, object(tail[key])[name]));
		add(`tail/${name}/ratio`, object(tail[name]).ratio);
		add(`tail/${name}/interval`, typeof object(tail[name]).low === 'number' ? [tail[name].low, tail[name].high] : null);
	}
	['samples', 'rounds', 'dropped', 'lost', 'misordered', 'refused'].forEach((key) => add(`tail/${key}`, tail[key]));
	Object.entries(object(tail.noise)).forEach(([key, value]) => add(`tail/noise.${key}`, value));
	array(document.laws).map(object).forEach((law, i) => {
		['intercept_ns', 'slope_ns', 'r2'].forEach((key) => add(`laws/${i}/${key}`, law[key]));
		add(`laws/${i}/points`, array(law.points).length);
	});
	Object.entries(object(document.plan)).forEach(([key, value]) => add(`plan/${key}`, value));
	return wanted;
}

// Rounded as a table rounds, with its unit.
const UNITS = { 'µs': 1e3, ms: 1e6, s: 1e9, 'kB/s': 1e3, 'MB/s': 1e6, 'GB/s': 1e9, 'TB/s': 1e12 };
function shows(text, value) {
	const [, number, unit] = /([\u2212\d.]+)(?:\u00a0(.*))?$/.exec(text) || [];
	const found = Number(String(number).replace('\u2212', '-')) * (UNITS[unit] || 1);
	return Math.abs(found - value) <= Math.max(0.5 * 10 ** -(String(number).split('.')[1] || '').length * (UNITS[unit] || 1), 0.001 * Math.abs(value));
}

function checkFigures(check, where, document, seen) {
	for (const [key, wanted] of expected(document)) {
		const found = seen.figures[key];
		const there = typeof wanted === 'number' || Array.isArray(wanted);
		if (!found) {
			check(false, where, `${key} is not shown`);
			continue;
		}
		check(found.value === (there ? JSON.stringify(wanted) : 'null'), where, `${key} is ${found.value}, expected ${JSON.stringify(wanted)}`);
		check(there || (found.text === MISSING && found.reason), where, `${key} is null and shown as "${found.text}"`);
		if (there)
			check([wanted].flat().every((value, i, all) => shows(all.length > 1 ? found.text.split(' to ')[i] : found.text, value)), where,
				`${key} is shown as ${found.text}, expected ${wanted}`);
	}
}

// The formulas of the guide, written a second time.
function planOf(k, v, line, sockets) {
	const grow = line / k.limit_ns;
	const t = grow * (k.message_ns + k.message_ns_per_byte * v.size);
	const busy = t * v.guests * v.per_second / 1e9;
	const share = v.fill / 100;
	const needed = Math.max(1, sockets * Math.ceil(busy / sockets / share));
	const links = Math.ceil(v.guests / needed);
	const rho = busy / needed;
	return { message: t, busy, needed, per_core: links, load: rho, alone: 1e9 / t, shared: 1e9 * needed / v.guests / t,
		trip: (k.trip_ns - k.limit_ns) + line + grow * k.trip_ns_per_byte * v.size + k.trip_ns_per_link * (links - 1) +
			t * rho / 2 / (1 - rho) };
}

const INPUTS = [
	{ cores: 16, sockets: 2, line_ns: 150.25, guests: 200, per_second: 20000, size: 64, fill: 70 },
	{ cores: 2, sockets: 4, line_ns: 600, guests: 500, per_second: 100000, size: 1500, fill: 50 },
	{ cores: 4, sockets: 1, line_ns: 300, guests: 3, per_second: 1000, size: 100000, fill: 90 },
	{ guests: '' },
];

function checkPlan(check, where, document, seen) {
	INPUTS.slice(0, 3).forEach((v, i) => {
		const places = { beside: planOf(document.plan, v, document.plan.limit_ns, v.sockets),
			across: v.sockets > 1 ? planOf(document.plan, v, v.line_ns, 1) : null };
		for (const [place, wanted] of Object.entries(places))
			for (const key of PLAN_KEYS) {
				const found = seen.planned[i].figures[`plan/${place}/${key}`];
				check(wanted ? Math.abs(Number(found) - wanted[key]) <= 1e-9 * Math.abs(wanted[key]) : found === 'null', where,
					`plan ${i}, ${place}, ${key} is ${found}, expected ${wanted ? wanted[key] : 'null'}`);
			}
		const fits = Object.values(places).filter(Boolean).map((wanted) => wanted.needed <= v.cores);
		check(JSON.stringify(seen.planned[i].fits.map((said) => !said.includes('not'))) === JSON.stringify(fits), where,
			`plan ${i} says "${seen.planned[i].fits}"`);
	});
	check(seen.planned.map(({ beyond }) => beyond).join() === '0,0,1,1', where, 'sizes beyond the law are not told');
	check(['needed', 'trip', 'shared'].every((key) => seen.planned[3].figures[`plan/beside/${key}`] === 'null'), where,
		'the plan calculates without an input');
	check(seen.marks.length === 2 && seen.marks.every((said) => said.startsWith('Calculation, not a measurement.')), where,
		`the plan is not marked as a calculation: ${seen.marks}`);
}

// At first each contestant stands at 60 bytes, or at 64 where it does not carry them; the best ratio
// to the limit first, of the same the best p50.
function rankingOf(document) {
	const list = document.figures.map((figure, i) => ({ ...figure, key: `figures/${i}/p50.median` }))
		.filter(({ work, where }) => work === 'trips' && where === 'host');
	const carries = new Set(list.filter(({ size }) => size === 60).map(({ contestant }) => contestant));
	return list.filter(({ size, contestant }) => size === (carries.has(contestant) ? 60 : 64))
		.sort((a, b) => a.ratio.median - b.ratio.median || a.p50.median - b.p50.median).map(({ key }) => key);
}

const badgeOf = (bar) => bar.met === true ? 'met' : bar.met === false ? 'missed' : bar.value === null ? 'not measured' : 'not judged';

// Each bar says what it is made of; what the document does not say is not known.
function checkBars(check, where, document, seen) {
	document.bars.forEach((bar, i) => {
		check(seen.intervals[i] === (bar.interval || 'not known'), where, `the interval of bar ${i} is "${seen.intervals[i]}"`);
		const words = bar.against ? [...bar.against, ...bar.absent.flat()] : ['not known'];
		const without = (bar.absent || []).length > 0;
		check(words.every((word) => seen.against[i].includes(word)) && seen.against[i].includes('without') === without, where,
			`bar ${i} is against "${seen.against[i]}"`);
		const shown = Number(seen.figures[`bars/${i}/value`].text);
		check(bar.met === null || bar.met === (bar.sense === 'at most' ? shown <= bar.bar : shown >= bar.bar), where,
			`bar ${i} is shown as ${shown} of ${bar.bar}, met: ${bar.met}`);
	});
	check(seen.figures['bars/3/value'].text === '1.204', where, 'a ratio has not three digits');
	const counted = document.bars.findIndex((bar) => bar.interval === 'counted');
	check(seen.figures[`bars/${counted}/value`].text === '0' && seen.figures[`bars/${counted}/bar`].text === 'at most 0', where,
		'a count is shown as a ratio');
}

// Trips and rates have a table each, at first of the rings that most have.
function checkRings(check, where, seen) {
	check(seen.ringTables.length === 4 && seen.ringTables.every((said) => said.includes('ring 1\u202f024')) &&
		seen.ringTables.filter((said) => said.startsWith('Ring size, rate')).length === 2, where, `rings have the tables ${seen.ringTables}`);
	check(seen.made.some((said) => said.includes('--works rings ')) && seen.made.some((said) => said.includes('--works queues ')), where,
		'how rings or queues were made is not said');
}

function checkWords(check, where, document, seen) {
	check(seen.uncounted.join() === `Not counted: ${document.tail.uncounted}.`, where, `uncounted: ${seen.uncounted}`);
	check(seen.versions.join() === 'DPDK 22.11.7,4.3.4,not here', where, `the versions are "${seen.versions}"`);
	check(seen.heads.some((head) => head.includes('gaps of the clock loop (each some ns), not trips')), where,
		'the floor is not said to be no trips');
	check(seen.captions[0].includes('fitted to what was measured') && !seen.captions[0].startsWith('Measured'), where,
		`the laws are called "${seen.captions[0]}"`);
	check(seen.text.includes('quartiles need 3 rounds'), where, 'why there are no quartiles is not said');
	check(seen.facts[0].includes('1 step left out'), where, `the header says "${seen.facts[0]}"`);
	check(['separate runs of 100\u00a0000 trips', 'strace', 'both processes'].every((words) => seen.terms.Noise.includes(words)), where,
		`noise is told as "${seen.terms.Noise}"`);
	check(['limit changed', 'another order', 'refused', 'counted'].every((words) => seen.terms.Dropped.includes(words)), where,
		`dropped is told as "${seen.terms.Dropped}"`);
}

// What holds of one fixture only.
function checkSpecial(check, name, document, seen, problems) {
	const says = (...parts) => parts.every((part) => problems.some((said) => said.includes(part)));
	if (name === 'suite') {
		checkPlan(check, name, document, seen);
		checkBars(check, name, document, seen);
		checkWords(check, name, document, seen);
		checkRings(check, name, seen);
		check(JSON.stringify(seen.ranking) === JSON.stringify(rankingOf(document)), name, `the ranking is ${seen.ranking}`);
		check(document.bars.every((bar, i) => seen.badges[i].endsWith(badgeOf(bar))), name, `the bars are ${seen.badges}`);
		check(seen.text.includes(document.bars[2].why) && seen.missing.length === 2 && seen.missing[0].includes('libiceoryx-posh-dev'), name,
			'why something was not measured is not shown');
		check(seen.made.every((said) => said.includes("benchmarks/run --out 'a b' --budget 10m")) && seen.made.some((said) =>
			said.endsWith('benchmarks/run --out DIR --works trips --budget 10m --cores=0,1 --no-guest --quick --only channel,limit --build=b.')), name, `made by: ${seen.made}`);
		check(seen.listed.length === 2 && seen.title === document.label && problems.length === 1, name, `faults, title, problems: ${problems}`);
	}
	if (name === 'suite-empty')
		check(says('"bars"', '"contestants"', '"figures"', '"laws"', '"tail"', '"place"', '"plan"') && seen.absent.length === 9, name,
			`what is missing is not told: ${problems}`);
	if (name === 'suite-nulls')
		check(seen.footnotes[0].includes('no law fits well enough'), name, `missing laws are told as "${seen.footnotes}"`);
	if (name === 'suite-newer')
		check(says('suite version 2', 'not complete', 'quick run', 'one suite'), name, `no word of another version: ${problems}`);
	if (name === 'suite-hostile')
		check(seen.bold === 0 && seen.text.includes(document.label) && seen.text.includes(`channel${HOSTILE}`) && seen.title === document.label, name,
			'hostile text is not shown as it is');
}

module.exports = { walk, INPUTS, checkFigures, checkSpecial };
