// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Latency over the run's time: lines of the slices, with the gaps that were seen marked by cause,
// and the heat map of time against latency.
const chartTime = (() => {
	const LINES = [['p50', 0, []], ['p99', 1, []], ['p99.9', 3, [7, 4]], ['max', 4, [2, 3]]];
	const HEAT_TICKS = 5;

	const slicesOf = (entry) => {
		const slices = model.object(entry.run.slices);
		return model.array(slices.rows).filter((row) => model.isObject(row) &&
			text.isNumber(row.begin_ns) && text.isNumber(row.end_ns) && row.end_ns > row.begin_ns);
	};

	// A slice holds its value until the next one begins; the last one until it ends.
	function columns(rows) {
		const xs = rows.map((row) => row.begin_ns / 1e9);
		xs.push(rows[rows.length - 1].end_ns / 1e9);
		const ys = LINES.map(([key]) => {
			const values = rows.map((row) => text.isNumber(row[key]) ? Math.max(row[key], 1) : null);
			return [...values, values[values.length - 1]];
		});
		return [xs, ...ys];
	}

	function xScale(rows) {
		const ends = [rows[0].begin_ns / 1e9, rows[rows.length - 1].end_ns / 1e9];
		return { range: (u, low, high) => low === null || low === high ? ends : [low, high],
			format: (v) => text.count(Number(v.toPrecision(6))) + '\u00a0s', grid: true };
	}

	// ---- gaps ----

	// A shape a cause: a shape is told apart on paper, where eight colours are not.
	const SHAPES = [
		(c, x, y, r) => { c.moveTo(x, y - r); c.lineTo(x + r, y + r); c.lineTo(x - r, y + r); c.closePath(); },
		(c, x, y, r) => c.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7),
		(c, x, y, r) => { c.moveTo(x, y - r * 1.2); c.lineTo(x + r * 1.2, y); c.lineTo(x, y + r * 1.2);
			c.lineTo(x - r * 1.2, y); c.closePath(); },
		(c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
		(c, x, y, r) => { c.moveTo(x, y + r); c.lineTo(x + r, y - r); c.lineTo(x - r, y - r); c.closePath(); },
		(c, x, y, r) => { c.moveTo(x - r, y - r); c.lineTo(x + r, y + r); c.moveTo(x + r, y - r); c.lineTo(x - r, y + r); },
		(c, x, y, r) => { c.moveTo(x - r, y); c.lineTo(x + r, y); c.moveTo(x, y - r); c.lineTo(x, y + r); },
	];
	const GLYPHS = ['\u25b3', '\u25a1', '\u25c7', '\u25cb', '\u25bd', '\u2715', '+'];

	const gapsOf = (entry) => model.array(entry.run.gaps).filter((gap) => model.isObject(gap) &&
		text.isNumber(gap.when_ns) && text.isNumber(gap.gap_ns));

	// Causes, the one with the longest gap first: they are in that order already.
	function causes(gaps) {
		const found = new Map();
		for (const gap of gaps) {
			const name = model.string(gap.cause, 'unknown');
			const entry = found.get(name) || { name, gaps: [], most: 0, sum: 0 };
			entry.gaps.push(gap);
			entry.most = Math.max(entry.most, gap.gap_ns);
			entry.sum += gap.gap_ns;
			found.set(name, entry);
		}
		return [...found.values()].sort((a, b) => b.most - a.most);
	}

	const shapeOf = (index) => index % SHAPES.length;

	function drawGaps(u, list) {
		const { ctx } = u;
		const size = 5 * uPlot.pxRatio;
		ctx.save();
		ctx.setLineDash([]);
		ctx.lineWidth = 1.5 * uPlot.pxRatio;
		ctx.strokeStyle = theme.css('--ink');
		ctx.fillStyle = theme.css('--ground');
		list.forEach((cause, i) => {
			for (const gap of cause.gaps) {
				const x = u.valToPos(gap.when_ns / 1e9, 'x', true);
				const y = u.valToPos(Math.max(gap.gap_ns, 1), 'y', true);
				if (x < u.bbox.left - 1 || x > u.bbox.left + u.bbox.width + 1)
					continue;
				ctx.beginPath();
				SHAPES[shapeOf(i)](ctx, x, y, size);
				ctx.fill();
				ctx.stroke();
			}
		});
		ctx.restore();
	}

	function gapLegend(list) {
		return list.length > 0 && dom.el('ul', { class: 'marks' },
			dom.el('li', {}, 'Gaps, at their time and length, by likeliest cause:'),
			list.map((cause, i) => dom.el('li', {},
				dom.el('span', { class: 'glyph', 'aria-hidden': 'true' }, GLYPHS[shapeOf(i)]),
				dom.el('bdi', {}, cause.name), ` \u00d7\u202f${text.count(cause.gaps.length)}`)));
	}

	function lines(entry) {
		const rows = slicesOf(entry);
		if (rows.length === 0)
			return null;
		const list = causes(gapsOf(entry));
		const data = columns(rows);
		const values = data.slice(1).flat().filter((v) => v !== null)
			.concat(list.flatMap((cause) => cause.gaps.map((gap) => Math.max(gap.gap_ns, 1))));
		return plot.make({
			id: `time-${entry.id}`, title: 'Latency over time', height: 320,
			yTitle: 'latency', xTitle: 'time since the run began, s', data,
			series: LINES.map(([label, hue, dash]) => ({ label, dash, width: 1.75, span: false,
				color: () => theme.shade(hue, null), paths: uPlot.paths.stepped({ align: 1 }) })),
			x: xScale(rows),
			y: plot.timeScale(() => plot.logRange(Math.min(...values), Math.max(...values))),
			readX: (x, i) => {
				const row = rows[Math.min(i, rows.length - 1)];
				return `${text.seconds(row.begin_ns / 1e9)} to ${text.seconds(row.end_ns / 1e9)}, ` +
					`${text.count(row.messages)} messages`;
			},
			readY: (v) => text.time(v, 4),
			over: (u) => drawGaps(u, list), extra: gapLegend(list),
		});
	}

	// ---- heat map ----

	function cells(rows, bounds) {
		const found = [];
		rows.forEach((row, i) => model.array(row.counts).forEach((count, bin) => {
			if (text.isNumber(count) && count > 0 && bin < bounds.length)
				found.push({ row: i, bin, count });
		}));
		return found;
	}

	// The lowest step has no lower bound; it is drawn as wide as the one above it.
	function lowOf(bounds, bin) {
		if (bin > 0)
			return Math.max(bounds[bin - 1], 0.5);
		return bounds.length > 1 ? Math.max(bounds[0] ** 2 / bounds[1], 0.5) : Math.max(bounds[0] / 2, 0.5);
	}

	function drawCells(u, rows, bounds, found, most) {
		const { ctx } = u;
		const x = (ns) => Math.round(u.valToPos(ns / 1e9, 'x', true));
		const y = (ns) => Math.round(u.valToPos(Math.max(ns, 0.5), 'y', true));
		ctx.save();
		for (const cell of found) {
			const row = rows[cell.row];
			const left = x(row.begin_ns);
			const top = y(bounds[cell.bin]);
			ctx.fillStyle = theme.heat(share(cell.count, most));
			ctx.fillRect(left, top, Math.max(x(row.end_ns) - left, 1),
				Math.max(y(lowOf(bounds, cell.bin)) - top, 1));
		}
		ctx.restore();
	}

	const share = (count, most) => most > 1 ? Math.log(count) / Math.log(most) : 1;

	// The scale of colours: steps of SVG, painted anew with the theme since it reads a variable.
	function heatLegend(most) {
		const STEPS = 32;
		const node = dom.svg('svg', { class: 'ramp', viewBox: `0 0 ${STEPS} 1`,
			preserveAspectRatio: 'none', 'aria-hidden': 'true' });
		const paint = () => node.replaceChildren(...Array.from({ length: STEPS }, (_, i) =>
			dom.svg('rect', { x: i, y: 0, width: 1.05, height: 1, fill: theme.heat(i / (STEPS - 1)) })));
		const powers = Math.floor(Math.log10(Math.max(most, 1)));
		const every = Math.max(1, Math.ceil(powers / HEAT_TICKS));
		const ticks = [];
		for (let power = 0; power <= powers; power += every)
			ticks.push(10 ** power);
		const labels = ticks.map((count) => {
			const label = dom.el('span', {}, text.scaled(count, text.SI, '', 1).replace('\u00a0', ''));
			label.style.left = `${100 * share(count, most)}%`;
			return label;
		});
		return { paint, node: dom.el('div', { class: 'heat-legend' },
			dom.el('span', { class: 'heat-name' }, `samples in a cell, 1 to ${text.count(most)}`),
			dom.el('div', { class: 'heat-scale' }, node, dom.el('div', { class: 'heat-ticks' }, labels))) };
	}

	function heat(entry) {
		const rows = slicesOf(entry);
		const bounds = model.array(model.object(entry.run.slices).bounds_ns);
		const found = cells(rows, bounds);
		if (found.length === 0 || !bounds.every((b) => text.isNumber(b) && b > 0))
			return null;
		const most = found.reduce((high, cell) => Math.max(high, cell.count), 1);
		const bins = found.map((cell) => cell.bin);
		const low = lowOf(bounds, Math.min(...bins));
		const high = bounds[Math.max(...bins)];
		const at = new Map(found.map((cell) => [`${cell.row} ${cell.bin}`, cell.count]));
		const legend = heatLegend(most);
		const middles = rows.map((row) => (row.begin_ns + row.end_ns) / 2e9);
		const ends = [rows[0].begin_ns / 1e9, rows[rows.length - 1].end_ns / 1e9];
		return plot.make({
			id: `heat-${entry.id}`, title: 'Heat map: samples by time and latency', height: 320,
			yTitle: 'latency', xTitle: 'time since the run began, s',
			data: [middles, middles.map(() => null)], series: [{ color: () => 'transparent' }],
			x: { range: () => ends, grid: false, format: xScale(rows).format },
			y: { ...plot.timeScale(() => [low, high]), grid: false },
			readAt: (u, left, top) => {
				const second = u.posToVal(left, 'x');
				const ns = u.posToVal(top, 'y');
				const row = rows.findIndex((r) => second * 1e9 >= r.begin_ns && second * 1e9 < r.end_ns);
				const bin = bounds.findIndex((b) => ns <= b);
				if (row < 0 || bin < 0)
					return '';
				return `${text.seconds(rows[row].begin_ns / 1e9)} to ${text.seconds(rows[row].end_ns / 1e9)}, ` +
					`above ${text.time(bin > 0 ? bounds[bin - 1] : 0)} to ${text.time(bounds[bin])}: ` +
					`${text.count(at.get(`${row} ${bin}`) || 0)} samples`;
			},
			under: (u) => { legend.paint(); drawCells(u, rows, bounds, found, most); },
			extra: legend.node,
		});
	}

	return { lines, heat, causes, gapsOf, GLYPHS, shapeOf };
})();
