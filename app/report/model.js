// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// The documents, made safe to walk: what is missing is null, and each run has its names and colour.
const model = (() => {
	const VERSION = 1;
	const PERCENTILES = ['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'p99.999', 'p99.9999'];
	const HISTOGRAMS = [
		['latency_ns', 'latency'], ['extra_ns', 'extra'], ['limit_ns', 'limit'],
		['floor_ns', 'floor near'], ['far_floor_ns', 'floor far'], ['far_work_ns', 'work far'],
		['there_ns', 'one way there'], ['back_ns', 'one way back'],
	];

	const isObject = (value) =>
		value !== null && typeof value === 'object' && !Array.isArray(value);
	const object = (value) => isObject(value) ? value : {};
	const array = (value) => Array.isArray(value) ? value : [];
	const string = (value, other) => typeof value === 'string' && value !== '' ? value : other;

	// Samples a percentile needs: a hundred on its scarcer side, as lib/measure has it.
	function needs(name) {
		const places = name.slice(1).split('.');
		const den = 10 ** (2 + (places[1] || '').length);
		const num = Number(places.join(''));
		return Math.ceil(100 * den / Math.min(num, den - num));
	}

	// Why a document may not be what this page makes of it; null: it is.
	function problem(document, title) {
		if (!isObject(document))
			return title + ' is no JSON object: nothing of it is shown.';
		if (document.schema !== 'ipc-perf')
			return `${title} is of schema ${JSON.stringify(document.schema)}, expected "ipc-perf": ` +
				'its figures may mean something else.';
		if (document.schema_version !== VERSION)
			return `${title} is of schema version ${JSON.stringify(document.schema_version)}, ` +
				`this page knows version ${VERSION}: fields may be missing or mean something ` +
				'else. Make the report with the program that wrote the document.';
		return null;
	}

	function runLabel(run) {
		const sweep = object(run.sweep);
		const name = string(run.name, string(run.mode, 'run without a name'));
		return sweep.over && !name.includes(sweep.over) ? `${name}, ${sweep.over} ${text.count(sweep.value)}` : name;
	}

	// "label" is for suites with many contestants; ipc-perf itself writes none.
	function documentLabel(document, index, total) {
		const own = string(document.label, null);
		if (own || total === 1)
			return own || 'this run';
		return index === 0 ? 'this run' : `peer ${index}`;
	}

	// Two runs of one name in a document are told apart by their place.
	function number(runs) {
		const seen = new Map();
		for (const entry of runs)
			seen.set(entry.name, (seen.get(entry.name) || 0) + 1);
		runs.forEach((entry, i) => {
			if (seen.get(entry.name) > 1)
				entry.name += ` (${i + 1})`;
		});
	}

	// A hue a document and a shade a run; where there is one document only, a hue a run, but
	// for long lists, whose order a ramp shows better.
	function colour(sheets) {
		const only = sheets.length === 1;
		for (const sheet of sheets) {
			const count = sheet.runs.length;
			const ramp = count > 7 || sheet.runs.some((entry) => entry.sweep.over);
			sheet.runs.forEach((entry, i) => {
				entry.hue = only && !ramp ? i : sheet.index;
				entry.place = count > 1 && (!only || ramp) ? i / (count - 1) : null;
			});
		}
	}

	function entryOf(run, index, sheet) {
		const found = object(run);
		return { id: `${sheet.index}-${index}`, run: found, sheet, name: runLabel(found),
			sweep: object(found.sweep), hue: 0, place: null };
	}

	function read(documents) {
		const list = Array.isArray(documents) ? documents : [documents];
		const sheets = list.map((document, index) => {
			const found = object(document);
			const sheet = { index, document: found, near: object(found.near),
				program: object(found.program), label: documentLabel(found, index, list.length) };
			sheet.problem = problem(document, index === 0 ? 'The document of this run'
				: `The document of ${sheet.label}`);
			sheet.runs = array(found.runs).map((run, i) => entryOf(run, i, sheet));
			number(sheet.runs);
			return sheet;
		});
		colour(sheets);
		const entries = sheets.flatMap((sheet) => sheet.runs);
		for (const entry of entries)
			entry.label = sheets.length > 1 ? `${entry.sheet.label}: ${entry.name}` : entry.name;
		return { sheets, entries };
	}

	const rate = (entry) => object(entry.run.rate);
	const histogram = (entry, key) => isObject(entry.run[key]) ? entry.run[key] : null;
	const missed = (entry) => array(entry.run.expect).filter((e) => object(e).met === false);

	// Why a figure of a histogram is not there.
	function whyNot(entry, key, name) {
		const h = histogram(entry, key);
		if (!h)
			return key === 'latency_ns' ? 'this mode measures rates only' : 'not measured';
		if (h.n === 0)
			return 'no samples';
		if (PERCENTILES.includes(name) && text.isNumber(h.n) && h.n < needs(name))
			return `${text.percent(name)} needs ${text.count(needs(name))} samples`;
		return 'not in the document';
	}

	// met, missed, failed or unknown; with the gravest sentence of all.
	function verdict(sheet) {
		const runs = sheet.runs;
		const failed = runs.filter((entry) => entry.run.met === false);
		const short = runs.filter((entry) => missed(entry).length > 0);
		const unknown = runs.filter((entry) => entry.run.met !== true);
		const gravest = [...failed, ...short, ...runs]
			.map((entry) => ({ entry, warning: array(entry.run.warnings)[0] }))
			.find(({ warning }) => warning);
		const state = failed.length ? 'failed' : short.length ? 'missed'
			: runs.length === 0 || unknown.length ? 'unknown' : 'met';
		return { state, failed, short, gravest };
	}

	return { read, object, array, string, isObject, rate, histogram, missed, needs, whyNot, verdict,
		PERCENTILES, HISTOGRAMS, VERSION };
})();
