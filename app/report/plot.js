// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// A figure: title, readout, uPlot's canvas, a legend of buttons, a note. Drawn when it has a
// width, so a figure in closed details costs nothing, and again when width, theme or medium change.
const plot = (() => {
	const PAPER_WIDTH = 680;	// of A4 less its margins, in CSS pixels
	const NARROW = 520;
	const figures = new Set();
	let paper = false;

	// ---- legend ----

	function swatch(series) {
		const line = dom.svg('line', { x1: 1, y1: 6, x2: 25, y2: 6, 'stroke-width': series.width || 2 });
		return { node: dom.svg('svg', { width: 26, height: 12, 'aria-hidden': 'true' }, line), line };
	}

	function legendItem(figure, series) {
		const mark = swatch(series);
		const value = dom.el('span', { class: 'value' });
		const button = dom.el('button', { type: 'button', 'aria-pressed': 'true', onclick: () => {
			const hidden = !series.hidden;
			button.setAttribute('aria-pressed', String(!hidden));
			for (const one of figure.spec.series.filter((s) => s === series || s.follows === series.label)) {
				one.hidden = hidden;
				if (figure.u)
					figure.u.setSeries(one.at, { show: !hidden });
			}
		} }, mark.node, dom.el('bdi', { class: 'name' }, series.label), value);
		return { series, mark, value, node: dom.el('li', {}, button) };
	}

	function paintLegend(figure) {
		for (const { series, mark } of figure.legend) {
			mark.line.setAttribute('stroke', series.color());
			mark.line.setAttribute('stroke-dasharray', (series.dash || []).join(' '));
		}
	}

	// ---- readout: by mouse, by touch (browsers tell a tap as a mouse) and by keys ----

	function read(figure) {
		const { u, spec } = figure;
		const idx = u.cursor.idx;
		const away = idx === null || idx === undefined || u.cursor.left < 0;
		if (spec.readAt) {
			figure.readout.textContent = away ? '' : spec.readAt(u, u.cursor.left, u.cursor.top);
			return;
		}
		figure.readout.textContent = away ? '' : spec.readX(u.data[0][idx], idx);
		for (const { series, value } of figure.legend) {
			const found = away ? null : u.data[series.at][idx];
			value.textContent = away ? '' : found === null || found === undefined ? text.DASH
				: (series.read || spec.readY)(found, idx);
		}
	}

	function nextIndex(figure, step) {
		const { u } = figure;
		const at = u.cursor.idx;
		const last = u.data[0].length - 1;
		if (Number.isFinite(step) && (at === null || at === undefined || u.cursor.left < 0))
			return step > 0 ? 0 : last;
		return Math.min(Math.max((at || 0) + step, 0), last);
	}

	function onKey(figure, event) {
		const { u } = figure;
		const far = event.shiftKey ? 10 : 1;
		const steps = { ArrowLeft: -far, ArrowRight: far, Home: -Infinity, End: Infinity };
		const rises = { ArrowUp: -8 * far, ArrowDown: 8 * far };
		if (!u || u.data[0].length === 0)
			return;
		if (event.key === 'Escape') {
			u.setCursor({ left: -10, top: -10 });
			return;
		}
		const height = u.over.clientHeight;
		let top = u.cursor.top >= 0 ? u.cursor.top : height / 2;
		let left = u.cursor.left;
		if (event.key in steps)
			left = u.valToPos(u.data[0][nextIndex(figure, steps[event.key])], 'x');
		else if (event.key in rises && figure.spec.readAt)
			top = Math.min(Math.max(top + rises[event.key], 0), height);
		else
			return;
		event.preventDefault();
		u.setCursor({ left: Math.min(Math.max(left, 0), u.over.clientWidth), top });
	}

	// ---- drawing ----

	function axis(side, from, width) {
		const ink = theme.css('--ink-soft');
		const font = (width < NARROW ? '11px ' : '12px ') + theme.css('--font');
		return { side, stroke: ink, font, gap: 5, size: side === 3 ? 64 : 28,
			space: from.space || (side === 3 ? 26 : 60),
			splits: from.splits ? (u) => from.splits(u, width < NARROW) : undefined,
			values: (u, splits) => splits.map((v) => v === null ? '' : from.format(v, width < NARROW)),
			filter: from.filter || ((u, splits) => splits),
			grid: { show: from.grid !== false, stroke: theme.css('--grid'), width: 1 },
			ticks: { stroke: theme.css('--grid'), width: 1, size: 5 } };
	}

	function scale(from) {
		return { time: false, distr: from.log ? 3 : 1, log: from.log || 10, range: from.range };
	}

	function line(series) {
		return { label: series.label, scale: 'y', stroke: series.color(), width: series.width || 2,
			dash: series.dash && series.dash.length ? series.dash.map((d) => d * uPlot.pxRatio) : undefined,
			show: !series.hidden,
			spanGaps: series.span !== false, paths: series.paths,
			points: { show: Boolean(series.points), size: 6, stroke: series.color(),
				fill: theme.css('--ground') } };
	}

	function options(figure, width) {
		const { spec } = figure;
		return {
			width, height: Math.round(width < NARROW ? Math.min(spec.height, 280) : spec.height),
			legend: { show: false }, padding: [8, 14, 0, 0],
			cursor: { drag: { x: !spec.readAt, y: false }, points: { size: 7 },
				focus: { prox: -1 }, y: Boolean(spec.readAt) },
			scales: { x: scale(spec.x), y: scale(spec.y) },
			axes: [axis(2, spec.x, width), axis(3, spec.y, width)],
			series: [{}, ...spec.series.map(line)],
			hooks: { setCursor: [() => figure.u && read(figure)],
				drawClear: spec.under ? [spec.under] : [], draw: spec.over ? [spec.over] : [] },
		};
	}

	function draw(figure) {
		const width = paper ? PAPER_WIDTH : Math.floor(figure.canvas.clientWidth);
		if (width < 80)
			return;
		if (figure.u)
			figure.u.destroy();
		figure.width = width;
		figure.u = null;
		figure.canvas.replaceChildren();
		figure.u = new uPlot(options(figure, width), figure.spec.data, figure.canvas);
		figure.canvas.dataset.drawn = String(width);
		paintLegend(figure);
	}

	function redraw() {
		for (const figure of figures)
			if (paper || figure.canvas.clientWidth > 0)
				draw(figure);
	}

	function setPaper(on) {
		if (paper === on)
			return;
		paper = on;
		document.documentElement.classList.toggle('paper', on);
		redraw();
	}

	const watcher = new ResizeObserver((changes) => {
		for (const { target } of changes) {
			const figure = [...figures].find((f) => f.canvas === target);
			if (figure && !paper && Math.abs(target.clientWidth - (figure.width || 0)) > 1)
				draw(figure);
		}
	});

	// spec: { id, title, note, yTitle, xTitle, height, data, series, x, y, readX, readY, readAt,
	//         under, over, extra: elements below the legend }
	function make(spec) {
		const figure = { spec, u: null, width: 0, legend: [] };
		spec.height = spec.height || 340;
		spec.series.forEach((series, i) => { series.at = i + 1; });
		figure.readout = dom.el('output', { class: 'readout' });
		figure.canvas = dom.el('div', { class: 'canvas', tabindex: 0, role: 'application',
			'aria-label': `${spec.title}: ${spec.yTitle} over ${spec.xTitle}. Arrow keys read the values.`,
			onkeydown: (event) => onKey(figure, event) });
		figure.legend = spec.series.filter((s) => s.label).map((s) => legendItem(figure, s));
		figure.node = dom.el('figure', { class: 'chart', 'data-chart': spec.id },
			dom.el('figcaption', {}, spec.title),
			dom.el('div', { class: 'axes' }, dom.el('span', {}, '\u2191\u00a0' + spec.yTitle), figure.readout),
			figure.canvas,
			dom.el('div', { class: 'x-title' }, spec.xTitle + '\u00a0\u2192'),
			figure.legend.length > 0 && dom.el('ul', { class: 'legend' }, figure.legend.map((l) => l.node)),
			spec.extra, spec.note && dom.el('p', { class: 'note' }, spec.note));
		figures.add(figure);
		watcher.observe(figure.canvas);
		return figure.node;
	}

	// ---- scales that several charts share ----

	// Powers of ten and, where there is room, their 2 and 5.
	function logSplits(u, key, pixels) {
		const { min, max } = u.scales[key];
		const low = Math.floor(Math.log10(min));
		const high = Math.ceil(Math.log10(max));
		const room = pixels / Math.max(Math.log10(max / min), 0.1);
		const steps = room > 260 ? [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8] : room > 160 ? [1, 1.5, 2, 3, 5, 7]
			: room > 75 ? [1, 2, 5] : room > 45 ? [1, 3] : [1];
		const every = room < 16 ? Math.ceil(16 / room) : 1;
		const found = [];
		for (let power = low; power <= high; power += 1)
			for (const step of steps)
				if (power % every === 0)
					found.push(step * 10 ** power);
		return found.filter((v) => v >= min * 0.9999 && v <= max * 1.0001);
	}

	function logRange(low, high) {
		if (!(low > 0) || !(high > 0))
			return [1, 10];
		return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
	}

	// Latencies: logarithmic, each tick with its unit.
	function timeScale(range) {
		return { log: 10, format: (v) => text.time(v, 2),
			splits: (u) => logSplits(u, 'y', u.bbox.height / uPlot.pxRatio),
			range: range || ((u, low, high) => logRange(low, high)) };
	}

	return { make, redraw, setPaper, logSplits, logRange, timeScale, PAPER_WIDTH };
})();
