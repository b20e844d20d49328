// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// The document of benchmarks/run, made safe to walk: each figure has its contestant, its place, its
// label and its look.
const suiteModel = (() => {
	const VERSION = 1;
	// What tells figures of one work and one contestant apart.
	const KEYS = ['size', 'burst', 'links', 'load', 'gap_ns', 'waiting'];
	const KEY_NAMES = { size: 'message size', burst: 'burst', links: 'links', load: 'load', gap_ns: 'idle time before',
		waiting: 'the far end waits' };
	// Round trips at one size are what most readers come for; else the middle of what there is.
	const CHOSEN_FIRST = { size: 64, burst: 32, waiting: false };
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
			found.push('The run is not complete: what is missing below was not measured. benchmarks/run with the same ' +
				'--out goes on where it stopped.');
		if (document.quick === true)
			found.push('A quick run: few rounds and samples, so wide quartiles and few high percentiles.');
		for (const [key, what] of PARTS)
			if (model.array(document[key]).length === 0)
				found.push(`The document has no "${key}", so ${what} is not shown. ${REMEDY}`);
		if (!model.isObject(document.tail))
			found.push(`The document has no "tail": how often long trips come was not measured. ${REMEDY}`);
		return found;
	}

	function looksOf(names, kinds) {
		const counts = { ours: 0, peer: 0 };
		return new Map(names.map((name) => {
			const kind = kinds.get(name) || 'peer';
			if (kind === 'reference')
				return [name, { color: () => theme.css('--ink'), dash: [7, 4], width: 1.5 }];
			const at = counts[kind];
			counts[kind] += 1;
			const shade = SHADES[Math.floor(at / HUES) % SHADES.length];
			return [name, { color: () => theme.shade(at % HUES, shade), width: kind === 'ours' ? 3 : 1.25, points: kind === 'ours' }];
		}));
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
		for (const entry of [...contestants, ...figures, ...laws]) {
			entry.kind = kinds.get(entry.name) || 'peer';
			entry.group = entry.where.split('-')[0];
			entry.label = entry.where === entry.group ? entry.name : `${entry.name} (${placeLabel(entry.where)})`;
			entry.look = looks.get(entry.name);
		}
		return { document, contestants, figures, laws, bars: entries(document, 'bars'), problems: problems(document),
			command: model.array(document.command) };
	}

	const ofWorks = (sheet, works) => sheet.figures.filter((entry) => works.includes(entry.found.work));
	const groupsOf = (list) => [...new Set(list.map((entry) => entry.group))];

	const rank = (value) => typeof value === 'boolean' ? Number(value) : value;
	const valuesOf = (list, key) => [...new Set(list.map((entry) => entry.found[key]))]
		.filter((value) => text.isNumber(value) || typeof value === 'boolean').sort((a, b) => rank(a) - rank(b));

	// What a reader may choose: the keys with more than one value, and the value to begin with.
	function choices(list) {
		return KEYS.map((key) => ({ key, label: KEY_NAMES[key], values: valuesOf(list, key) }))
			.filter(({ values }) => values.length > 1)
			.map((choice) => ({ ...choice, first: choice.values.includes(CHOSEN_FIRST[choice.key])
				? CHOSEN_FIRST[choice.key] : choice.values[Math.floor(choice.values.length / 2)] }));
	}

	// A figure to which a key does not apply stands at each of its values.
	const at = (list, chosen) => list.filter(({ found }) => Object.entries(chosen).every(([key, value]) =>
		found[key] === value || found[key] === null || found[key] === undefined));

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

	return { isSuite, read, ofWorks, groupsOf, choices, at, whyMissing, whyNot, barState, placeLabel, keyOf };
})();
