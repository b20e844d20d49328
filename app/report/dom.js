// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Elements are made of text only, never of markup: names and commands come from elsewhere.
const dom = (() => {
	const SVG = 'http://www.w3.org/2000/svg';

	function fill(element, properties, children) {
		for (const [key, value] of Object.entries(properties || {})) {
			if (value === undefined || value === null || value === false)
				continue;
			if (key.startsWith('on'))
				element.addEventListener(key.slice(2), value);
			else
				element.setAttribute(key, value === true ? '' : String(value));
		}
		for (const child of children.flat(Infinity))
			if (child !== null && child !== undefined && child !== false)
				element.append(child);
		return element;
	}

	const el = (tag, properties, ...children) =>
		fill(document.createElement(tag), properties, children);
	const svg = (tag, properties, ...children) =>
		fill(document.createElementNS(SVG, tag), properties, children);

	// A table that scrolls in its own box, so that the page never gets wider than the screen.
	function table(caption, head, rows, kind) {
		return el('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': caption },
			el('table', { class: kind || '' },
				el('caption', {}, caption),
				head && el('thead', {}, el('tr', {}, head.map((cell) =>
					cell instanceof Node ? cell : el('th', { scope: 'col' }, cell)))),
				el('tbody', {}, rows)));
	}

	// Name and value; what the value is of stands in data-key, for tests and for scripts.
	function pair(key, label, shown, raw) {
		return el('tr', {}, el('th', { scope: 'row' }, label),
			el('td', { 'data-key': key, 'data-value': raw === undefined ? null : JSON.stringify(raw) },
				el('bdi', {}, shown)));
	}

	// Any object as rows, nested ones by their path: fields this page does not know are told too.
	function pairs(object, prefix, leave) {
		const rows = [];
		for (const [key, value] of Object.entries(object || {})) {
			if ((leave || []).includes(key))
				continue;
			const path = prefix ? prefix + '.' + key : key;
			if (value && typeof value === 'object' && !Array.isArray(value))
				rows.push(...pairs(value, path));
			else
				rows.push(pair(path, path.split('.').map(text.name).join(', '),
					text.value(key, value), value));
		}
		return rows;
	}

	return { el, svg, table, pair, pairs };
})();
