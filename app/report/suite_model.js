// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// The document of benchmarks/run, made safe to walk: each figure has its contestant, its place, its
// label and its look.
const suiteModel = (() => {
	const VERSION = 1;
	// What tells figures of one work and one contestant apart.
	const KEYS = ['size', 'burst', 'links', 'queues', 'ring', 'load', 'gap_ns', 'bulk', 'waiting'];
	const KEY_NAMES = { size: 'message size', burst: 'burst', links: 'links', queues: 'queues of a port', ring: 'ring size',
		load: 'load', gap_ns: 'idle time before',
		bulk: 'bulk message', waiting: 'the far end waits' };
	// What most readers come for; else the middle of what there is.
	const CHOSEN_FIRST = { size: 64, burst: 32, ring: 1024, waiting: false };
	// A cell carries 60 bytes and a frame has 64 at least: each contestant at the first that it carries.
	const EITHER = { size: [60, 64] };
	// Shades within a hue, when contestants are more than hues.
	const HUES = 7;
	const SHADES = [null, 0.1, 0.85, 0.3];
	const PARTS = [['bars', 'which bars are met'], ['contestants', 'who took part'],
		['figures', 'what each work measured'], ['laws', 'how cost grows']];
	const REMEDY = 'Make the document anew with benchmarks/run.';

	const isSuite = (document) => model.isObject(document) && 'suite' in document;
	const nameOf = (found) => model.string(found.contestant, model.string(found.name, 'without a name'));
	const whereOf = (found) => model.string(found.where, 'place not told');
	// "guest-vfio" as "guest, vfio".
	const placeLabel = (where) => where.replace('-', ', ');
	const keyOf = (name, where) => JSON.stringify([name, where]);

	function problems(document) {
		const found = [];
		if (document.suite !== VERSION)
			found.push(`The document is of suite version ${JSON.stringify(document.suite)}, this page knows version ` +
				`${VERSION}: fields may be missing or mean something else. Make the report with the suite that wrote it.`);
		if (document.complete === false)
			found.push('The run is not complete: what is missing below was not measured. The same command goes on ' +
				'where it stopped.');
		if (document.quick === true)
			found.push('A quick run: few rounds and samples, so wide quartiles and few high percentiles.');
		for (const [key, what] of PARTS)
			if (model.array(document[key]).length === 0)
				found.push(`The document has no "${key}", so ${what} is not shown. ${REMEDY}`);
		if (!model.isObject(document.tail))
			found.push(`The document has no "tail": how often long trips come was not measured. ${REMEDY}`);
		return found;
	}

	// Of a name the same hue at all places; a further place of a group is paler.
	function looksOf(names, kinds) {
		const counts = { ours: 0, peer: 0 };
		return new Map(names.map((name) => {
			const kind = kinds.get(name) || 'peer';
			if (kind === 'reference')
				return [name, () => ({ color: () => theme.css('--ink'), dash: [7, 4], width: 1.5 })];
			const at = counts[kind];
			counts[kind] += 1;
			const shade = SHADES[Math.floor(at / HUES) % SHADES.length];
			return [name, (further) => ({ color: () => theme.shade(at % HUES, further ? 0.95 : shade),
				width: (kind === 'ours' ? 3 : 1.25) - (further ? 0.5 : 0), points: kind === 'ours' })];
		}));
	}

	// A document keeps the arguments that made it; where they went does not matter to it.
	function commandOf(document) {
		const words = model.array(document.command);
		const bare = Array.isArray(document.command) && (words.length === 0 || String(words[0]).startsWith('-'));
		return bare ? ['benchmarks/run', '--out', 'DIR', ...words] : words;
	}

	// What holds for a part of the works as for all: the cores, guests or none, contestants, build, budget.
	function sameFor(command) {
		const words = command.map(String);
		// An option's value may look like an option.
		const isValue = words.map(() => false);
		words.forEach((word, i) => { isValue[i + 1] = !isValue[i] && /^--(out|budget|only|works|cores|build|label)$/.test(word); });
		return words.filter((word, i) => {
			const [option] = (isValue[i] ? words[i - 1] : word).split('=');
			return /^--(quick|guest|no-guest|cores|budget|only|build)$/.test(option);
		});
	}

	const entries = (document, key) => model.array(document[key]).map(model.object)
		.map((found, index) => ({ id: `${key}/${index}`, found, name: nameOf(found), where: whereOf(found) }));

	function kindsOf(contestants) {
		return new Map(contestants.map(({ name, found }) =>
			[name, found.ours === true ? 'ours' : found.reference === true ? 'reference' : 'peer']));
	}

	function read(document) {
		const contestants = entries(document, 'contestants');
		const figures = entries(document, 'figures');
		const laws = entries(document, 'laws');
		const kinds = kindsOf(contestants);
		const names = [...new Set([...contestants, ...figures, ...laws].map((entry) => entry.name))];
		const looks = looksOf(names, kinds);
		const leading = new Map();
		for (const entry of [...contestants, ...figures, ...laws]) {
			entry.kind = kinds.get(entry.name) || 'peer';
			entry.group = entry.where.split('-')[0];
			if (!leading.has(entry.group))
				leading.set(entry.group, entry.where);
			entry.label = entry.where === entry.group ? entry.name : `${entry.name} (${placeLabel(entry.where)})`;
			entry.look = looks.get(entry.name)(entry.where !== leading.get(entry.group));
		}
		return { document, contestants, figures, laws, bars: entries(document, 'bars'), problems: problems(document),
			command: commandOf(document) };
	}

	const ofWorks = (sheet, works) => sheet.figures.filter((entry) => works.includes(entry.found.work));
	// A work may have both; what goes in bursts has a rate.
	const ofRates = (list, byRate) => list.filter(({ found }) => text.isNumber(found.burst) === byRate);
	const groupsOf = (list) => [...new Set(list.map((entry) => entry.group))];

	const rank = (value) => typeof value === 'boolean' ? Number(value) : value;
	const valuesOf = (list, key) => [...new Set(list.map((entry) => entry.found[key]))]
		.filter((value) => text.isNumber(value) || typeof value === 'boolean').sort((a, b) => rank(a) - rank(b));

	// What a reader may choose: the keys with more than one value, and the value to begin with.
	// together: keys whose values stand side by side.
	function choices(list, together) {
		return KEYS.filter((key) => !model.array(together).includes(key))
			.map((key) => ({ key, label: KEY_NAMES[key], values: valuesOf(list, key) }))
			.filter(({ values }) => values.length > 1)
			.map(({ key, label, values }) => {
				const either = EITHER[key] && EITHER[key].every((value) => values.includes(value)) ? [EITHER[key]] : [];
				return { key, label, values: [...either, ...values], first: either[0] || (values.includes(CHOSEN_FIRST[key])
					? CHOSEN_FIRST[key] : values[Math.floor(values.length / 2)]) };
			});
	}

	// Figures at one value of a key, or each contestant's at the first of several that it has. A figure
	// to which the key does not apply stands at each.
	function atKey(list, key, wanted) {
		const values = [wanted].flat();
		const best = new Map();
		for (const entry of list) {
			const id = keyOf(entry.name, entry.where);
			const place = values.indexOf(entry.found[key]);
			if (place >= 0)
				best.set(id, Math.min(place, best.has(id) ? best.get(id) : place));
		}
		return list.filter((entry) => entry.found[key] === null || entry.found[key] === undefined ||
			values.indexOf(entry.found[key]) === best.get(keyOf(entry.name, entry.where)));
	}

	// A choice of several values comes last: it is among what the others leave.
	const at = (list, chosen) => Object.entries(chosen).sort(([, a], [, b]) => Array.isArray(a) - Array.isArray(b))
		.reduce((left, [key, value]) => atKey(left, key, value), list);

	// Why a contestant has no figure; null: nothing stands against it.
	function whyMissing(contestant) {
		const package_ = model.string(contestant.found.missing, null);
		if (package_)
			return `missing, the package ${package_} brings it`;
		return model.string(contestant.found.error, null);
	}

	function whyNot(entry, name) {
		const { samples } = entry.found;
		if (model.PERCENTILES.includes(name) && text.isNumber(samples) && samples < model.needs(name))
			return `${text.percent(name)} needs ${text.count(model.needs(name))} samples`;
		return 'not measured';
	}

	const barState = ({ found }) => found.met === true ? 'met' : found.met === false ? 'missed' : 'unknown';

	return { isSuite, read, sameFor, ofWorks, ofRates, groupsOf, choices, at, whyMissing, whyNot, barState, placeLabel, keyOf };
})();
