// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// What another machine would need, calculated from the measured laws. Nothing here was measured, and
// the page says so.
const plan = (() => {
	const { el } = dom;
	const MARK = 'Calculation, not a measurement.';
	// key of "plan", the letter it has in the formulas, what it is, its unit
	const CONSTANTS = [
		['limit_ns', 'L\u2080', 'the limit: a cache line there and back', 'ns'],
		['trip_ns', 'a', 'round trip, constant part', 'ns'],
		['trip_ns_per_byte', 'b', 'round trip, a byte', 'ns/byte'],
		['trip_ns_per_link', 'f', 'round trip, a further link that is polled', 'ns/link'],
		['message_ns', 'c', 'a message of a stream, constant part', 'ns'],
		['message_ns_per_byte', 'd', 'a message of a stream, a byte', 'ns/byte'],
	];
	// key, letter, label, the value to begin with, least, most
	const INPUTS = [
		['cores', 'C', 'host cores there are', 16, 1, 1e6],
		['sockets', 'S', 'sockets', 2, 1, 1e3],
		['line_ns', 'L', 'a cache line there and back between sockets, ns', null, 0.1, 1e6],
		['guests', 'G', 'guests, a link each', 200, 1, 1e6],
		['per_second', 'm', 'messages/s of a guest', 20000, 0, 1e9],
		['size', 's', 'message size, bytes', 60, 0, 1e9],
		['fill', 'u', 'share of a core to fill, %', 70, 1, 99],
	];
	const cores = (v) => text.count(Number(v.toFixed(3)));
	const ns = (v) => text.time(v, 4);
	// key, label, formula, how it is shown
	const ROWS = [
		['message', 'a message costs its core', 't = (c + d\u00b7s) \u00b7 L/L\u2080', ns],
		['busy', 'cores that are busy', 'B = G\u00b7m\u00b7t / 10\u2079', cores],
		['needed', 'host cores needed', 'one socket: N = S \u00b7 \u2308B / (S\u00b7u)\u2309; between: N = \u2308B / u\u2309', text.count],
		['per_core', 'links a core', 'n = \u2308G / N\u2309', text.count],
		['load', 'load of these cores', '\u03c1 = B / N', (v) => `${text.count(Number((100 * v).toFixed(1)))}\u00a0%`],
		['trip', 'round trip', 'a \u2212 L\u2080 + L + b\u00b7s\u00b7L/L\u2080 + f\u00b7(n \u2212 1) + t\u00b7\u03c1 / (2\u00b7(1 \u2212 \u03c1))', ns],
		['alone', 'rate of a link, alone on its core', '10\u2079 / t', text.rate],
		['shared', 'rate of each link, all busy', 'N\u00b710\u2079 / (G\u00b7t)', text.rate],
	];
	const PLACES = [['beside', 'guest and core on one socket', 'L = L\u2080'], ['across', 'all between two sockets', 'L as given']];

	// k: constants, v: inputs; what is missing is NaN and makes NaN of all that needs it.
	function calculate(k, v, place) {
		const beside = place === 'beside';
		const line = beside ? k.limit_ns : v.line_ns;
		const slower = line / k.limit_ns;
		const fill = v.fill / 100;
		const message = (k.message_ns + k.message_ns_per_byte * v.size) * slower;
		const busy = v.guests * v.per_second * message / 1e9;
		const needed = Math.max(beside ? v.sockets * Math.ceil(busy / (v.sockets * fill)) : Math.ceil(busy / fill), 1);
		const perCore = Math.ceil(v.guests / needed);
		const load = busy / needed;
		const trip = k.trip_ns - k.limit_ns + line + k.trip_ns_per_byte * v.size * slower +
			(perCore > 1 ? k.trip_ns_per_link * (perCore - 1) : 0) + message * load / (2 * (1 - load));
		return { message, busy, needed, per_core: perCore, load, trip, alone: 1e9 / message,
			shared: needed * 1e9 / (v.guests * message) };
	}

	const numbers = (of) => Object.fromEntries(Object.entries(of).map(([key, value]) => [key, text.isNumber(value) ? value : NaN]));

	function constants(found) {
		const notes = tables.footnotes();
		const rows = CONSTANTS.map(([key, letter, what, unit]) => el('tr', {}, el('th', { scope: 'row' }, what),
			el('td', {}, letter), tables.figure({ id: 'plan' }, key, found[key], (v) => `${text.count(Number(v.toPrecision(5)))}\u00a0${unit}`,
				key === 'limit_ns' ? 'the limit was not measured' : 'no law fits well enough, or it has fewer than 3 points', notes)));
		return [dom.table('Laws of ours on this host, fitted to what was measured', ['law', 'letter', 'value'], rows, 'figures'), notes.list()];
	}

	// Why a result is not there: a law, an input, or a second socket.
	function whyNot(found, values, place) {
		if (place === 'across' && values.sockets < 2)
			return 'there is one socket';
		const input = INPUTS.find(([key]) => !text.isNumber(values[key]));
		if (input)
			return `the input \u201c${input[2]}\u201d is no number from ${text.count(input[4])} to ${text.count(input[5])}`;
		const missing = CONSTANTS.filter(([key]) => !text.isNumber(found[key])).map(([key]) => key);
		return missing.length > 0 ? `the document\u2019s plan lacks ${missing.join(', ')}` : 'it comes to nothing';
	}

	// Sizes at which the laws have points; beyond them a law is only drawn on.
	const sizesOf = (sheet) => sheet.laws.filter(({ name, where, found }) => ['channel', 'msg'].includes(name) && where === 'host' &&
		found.against === 'size').flatMap(({ found }) => model.array(found.points).map((point) => model.array(point)[0])).filter(text.isNumber);

	function beyond(sizes, size) {
		const most = Math.max(...sizes);
		return sizes.length > 0 && size > most && el('p', { class: 'problem', 'data-beyond': 'size' },
			`The laws were measured up to ${text.bytes(most)}: a larger message is beyond the law\u2019s points.`);
	}

	function results(found, values, sizes) {
		const notes = tables.footnotes();
		const k = numbers({ ...Object.fromEntries(CONSTANTS.map(([key]) => [key, null])), ...found });
		const v = numbers(values);
		const columns = PLACES.map(([place]) => place === 'across' && v.sockets < 2 ? {} : calculate(k, v, place));
		const rows = ROWS.map(([key, label, formula, show]) => el('tr', {}, el('th', { scope: 'row' }, label),
			PLACES.map(([place], i) => tables.figure({ id: 'plan' }, `${place}/${key}`, columns[i][key], show,
				whyNot(found, values, place), notes)), el('td', { class: 'formula' }, formula)));
		const fit = PLACES.map(([place, label], i) => text.isNumber(columns[i].needed) && el('p', { 'data-fits': place },
			tables.badge(columns[i].needed <= v.cores ? 'met' : 'missed', columns[i].needed <= v.cores ? 'fits' : 'does not fit'),
			` ${label}: ${text.count(columns[i].needed)} of ${text.count(v.cores)} host cores; the guests\u2019 own, which poll too, come on top.`));
		return [dom.table(`${MARK} What it takes`, [el('th', { scope: 'col' }, ''), PLACES.map(([, label, line]) =>
			el('th', { scope: 'col' }, label, el('small', {}, line))), el('th', { scope: 'col' }, 'formula')].flat(), rows, 'figures'),
		notes.list(), beyond(sizes, v.size), fit];
	}

	function panel(sheet) {
		const found = model.object(sheet.document.plan);
		if (Object.keys(found).length === 0)
			return el('p', { class: 'problem' }, 'The document has no "plan": without the laws nothing can be calculated.');
		const box = el('div', { class: 'calculation' });
		const fields = INPUTS.map(([key, letter, label, first, least, most]) => ({ key, least, most, label, letter,
			node: el('input', { type: 'number', min: least, max: most, step: 'any', 'data-input': key,
				value: key === 'line_ns' ? found.limit_ns : first, oninput: () => render() }) }));
		const valueOf = ({ node, least, most }) => node.value !== '' && Number(node.value) >= least && Number(node.value) <= most
			? Number(node.value) : null;
		const sizes = sizesOf(sheet);
		const render = () => box.replaceChildren(...results(found,
			Object.fromEntries(fields.map((field) => [field.key, valueOf(field)])), sizes).flat(Infinity).filter(Boolean));
		render();
		return [el('p', { class: 'problem', 'data-mark': 'plan' }, `${MARK} What follows was computed from laws fitted on the machine ` +
			'above, by the formulas beside it. It holds as far as they do: other processors, caches and memories have other laws, ' +
			'and the cost between sockets is what you put in.'),
		constants(found),
		el('div', { class: 'inputs' }, fields.map(({ label, letter, node }) => el('label', {}, `${label} (${letter})`, node))),
		box, el('p', { class: 'note' }, 'The software\u2019s share of a trip (a \u2212 L\u2080) stays; one line each way is waited for; ' +
			'bytes and messages of a stream cost as much more as a line does. The last term of the round trip is the wait for the core ' +
			'where messages come at random times (Pollaczek and Khinchine, fixed service time). u is a share, as 0.7.')];
	}

	return { panel };
})();
