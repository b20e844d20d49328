// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Charts of a suite: a line a contestant, ours thick, references dashed.
const suiteCharts = (() => {
	const { X, Y } = chartLines;
	const LOOK = 'Thick lines with points are ours, dashed ones are references.';
	const GET = {
		p50: (found) => model.object(found.p50).median,
		p99: (found) => model.object(found.percentiles).p99,
		rate: (found) => model.object(found.rate).median,
		bytes: (found) => model.object(found.bytes_per_s).median,
	};
	const titled = (title, group) => `${title}, ${group}`;
	// A value that was chosen, or several.
	const choice = (key, value) => [value].flat().map((one) => X[key] ? X[key].format(one) : text.value(key, one)).join(' or ');
	const words = (chosen) => Object.entries(chosen).map(([key, value]) => `${text.name(key)} ${choice(key, value)}`).join(', ');

	// A line a contestant; the better of two figures at one place.
	function lines(list, key, get, better) {
		const found = new Map();
		for (const entry of list) {
			const label = entry.found.waiting === true ? `${entry.label}, waiting` : entry.label;
			const line = found.get(label) || { ...entry.look, label: entry.kind === 'ours' ? `${label} \u00b7 ours` : label,
				best: new Map() };
			const x = entry.found[key];
			const y = get(entry.found);
			if (text.isNumber(x) && text.isNumber(y))
				line.best.set(x, line.best.has(x) ? better(line.best.get(x), y) : y);
			found.set(label, line);
		}
		return [...found.values()].map((line) => ({ ...line, values: [...line.best] }));
	}

	// The figures of a list over one key; where another key has several values, at the asked or first.
	function over(id, title, list, group, key, what, y, asked) {
		const others = suiteModel.choices(list).filter((one) => one.key !== key && one.key !== 'waiting' &&
			!(asked && one.key in asked));
		const chosen = { ...Object.fromEntries(others.map((one) => [one.key, one.first])), ...asked };
		const shown = suiteModel.at(list, chosen);
		if (new Set(shown.map(({ found }) => found[key]).filter(text.isNumber)).size < 2)
			return null;
		const at = words(chosen);
		return chartLines.make({ id: `${id}-${group}`, title: titled(title, group), x: X[key], y,
			lines: lines(shown, key, GET[what], y === Y.time ? Math.min : Math.max),
			note: `${at ? `At ${at}. ` : ''}${LOOK}` });
	}

	// The largest rate of bytes over bursts.
	function bandwidth(list, group) {
		const found = list.filter((entry) => text.isNumber(GET.bytes(entry.found)));
		if (new Set(found.map((entry) => entry.found.size)).size < 2)
			return null;
		return chartLines.make({ id: `suite-bandwidth-${group}`, title: titled('Bandwidth against message size', group),
			x: X.size, y: Y.bytes, lines: lines(found, 'size', GET.bytes, Math.max), note: `At the best burst of each. ${LOOK}` });
	}

	function curves(id, title, list, group, together) {
		const chosen = Object.fromEntries(suiteModel.choices(list, together).map((one) => [one.key, one.first]));
		const at = words(chosen);
		return chartCurve.make(`${id}-${group}`, titled(title, group), suiteModel.at(list, chosen).map((entry) =>
			({ ...entry.look, points: false, label: entry.label, h: { ...model.object(entry.found.percentiles), n: entry.found.samples } })),
		`${at ? `At ${at}. ` : ''}${LOOK} The point is the maximum; nothing is known of the dotted way there.`);
	}

	const latency = (id, title, key) => (list, group) => over(id, title, list, group, key, 'p50', Y.time);
	const BY_WORK = {
		trips: [latency('suite-latency-size', 'Round trip p50 against message size', 'size')],
		rate: [
			...[1, 32].map((burst) => (list, group) => over(`suite-rate-size-${burst}`, `Rate against message size, burst ${burst}`,
				list.filter(({ found }) => found.burst === burst), group, 'size', 'rate', Y.rate, { burst })),
			(list, group) => over('suite-rate-burst', 'Rate against burst', list, group, 'burst', 'rate', Y.rate),
			bandwidth],
		paced: [latency('suite-latency-load', 'Latency p50 against offered load', 'load'),
			(list, group) => over('suite-latency-load-p99', 'Latency p99 against offered load', list, group, 'load', 'p99', Y.time)],
		links: [latency('suite-links', 'Round trip p50 against links', 'links')],
		queues: [latency('suite-queues', 'Round trip p50 against queues of a port', 'queues')],
		rings: [latency('suite-rings', 'Round trip p50 against ring size', 'ring'),
			(list, group) => over('suite-rings-rate', 'Rate against ring size', list, group, 'ring', 'rate', Y.rate)],
		rpc: [latency('suite-rpc', 'Request to reply p50 against message size', 'size')],
		mixed: [(list, group) => curves('suite-mixed', 'Percentiles of control messages under bulk', list, group,
			['size', 'bulk'])],
		wake: [latency('suite-wake-gap', 'Wake-up p50 against idle time', 'gap_ns'),
			(list, group) => curves('suite-wake', 'Percentiles of wake-up', list, group)],
	};

	function charts(work, list) {
		return suiteModel.groupsOf(list).flatMap((group) => (BY_WORK[work] || []).map((make) =>
			make(list.filter((entry) => entry.group === group), group))).filter(Boolean);
	}

	function tail(found) {
		const line = (key, label, look) => model.isObject(found[key]) && { label, ...look,
			h: { n: key === 'floor' ? undefined : found.samples, ...found[key] } };
		return chartCurve.make('suite-tail', 'Percentiles of ours and of the raw line', [
			line('ours', model.string(found.contestant, 'ours'), { width: 3, color: () => theme.shade(0, null) }),
			line('raw', 'raw line', { width: 1.5, dash: [7, 4], color: () => theme.css('--ink') }),
			line('floor', 'gaps of the clock loop, not trips', { width: 1.5, dash: [2, 3], color: () => theme.css('--ink-soft') }),
		].filter(Boolean), 'Drawn through the percentiles that the document has.');
	}

	// ---- laws ----

	// What a burst pays once, its messages share: the law is against its inverse.
	const LAW_X = { burst: { title: '1 / burst', format: (v) => v < 1 ? `1/${text.count(Math.round(1 / v))}` : text.count(v), log: 2 } };
	// A straight line is bent on logarithmic axes: so many points between the ends.
	const FIT_POINTS = 40;

	function fitted(found, points, x) {
		const places = points.map(([at]) => at);
		const low = Math.min(...places);
		const high = Math.max(...places);
		return Array.from({ length: FIT_POINTS + 1 }, (_, i) => {
			const share = i / FIT_POINTS;
			const at = x.log ? low * (high / low) ** share : low + (high - low) * share;
			return [at, found.intercept_ns + found.slope_ns * at];
		});
	}

	function lawLines(entry, x) {
		const { found, look } = entry;
		const points = model.array(found.points).filter((p) => Array.isArray(p) && p.every(text.isNumber) && (p[0] > 0 || !x.log));
		const fit = text.isNumber(found.intercept_ns) && text.isNumber(found.slope_ns) && points.length > 1 &&
			{ ...look, points: false, unmarked: true, follows: entry.label, values: fitted(found, points, x) };
		return [{ ...look, label: entry.label, values: points, points: true, paths: () => null }, fit].filter(Boolean);
	}

	function laws(list) {
		const kinds = [...new Set(list.map(({ found, group }) => JSON.stringify([found.of, found.against, group])))];
		return kinds.map((kind) => {
			const [of, against, group] = JSON.parse(kind);
			const x = LAW_X[against] || X[against] || { title: text.value('', against), format: text.count };
			const shown = list.filter(({ found, group: place }) => JSON.stringify([found.of, found.against, place]) === kind);
			return chartLines.make({ id: `suite-law-${of}-${against}-${group}`, x, y: { ...Y.time, title: `cost of a ${of}` },
				title: titled(`Cost of a ${of} against ${against}`, group), lines: shown.flatMap((entry) => lawLines(entry, x)),
				note: `Points were measured, lines are the fitted laws. ${LOOK}` });
		}).filter(Boolean);
	}

	return { charts, tail, laws, choice, words };
})();
