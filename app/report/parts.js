// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// What pages are put together of: parts that may fail alone, sections, command lines to copy.
const parts = (() => {
	const { el } = dom;

	// One part that fails is told in its place; the others stand.
	function part(name, make) {
		try {
			return make();
		} catch (error) {
			return el('p', { class: 'problem' }, `${name} cannot be shown: ${error.message}.`);
		}
	}

	function section(id, title, ...children) {
		const found = children.flat(Infinity).filter(Boolean);
		return found.length > 0 && el('section', { id, 'aria-labelledby': `${id}-title` },
			el('h2', { id: `${id}-title` }, title), found);
	}

	function copyText(words, button) {
		const done = (said) => {
			button.textContent = said;
			setTimeout(() => { button.textContent = 'Copy'; }, 2000);
		};
		// Some browsers keep the clipboard from pages of file://.
		if (!navigator.clipboard)
			done('Select the line and copy it');
		else
			navigator.clipboard.writeText(words).then(() => done('Copied'),
				() => done('Select the line and copy it'));
	}

	// words: a command line as an array; key: which one, for tests and for scripts.
	function command(words, key) {
		const line = model.array(words).map(text.quoted).join(' ');
		if (line === '')
			return el('p', { class: 'note' }, `${text.DASH} the document has no command line`);
		const button = el('button', { type: 'button', class: 'copy', onclick: () => copyText(line, button) }, 'Copy');
		return el('div', { class: 'command' },
			el('pre', { tabindex: 0, 'aria-label': 'command line' }, el('code', { 'data-command': key }, line)),
			button);
	}

	// Facts of a document in one line below its title.
	const factsLine = (facts) => el('p', { class: 'facts-line' },
		facts.filter(Boolean).map((fact, i) => [i > 0 && ' \u00b7 ', el('bdi', {}, fact)]));

	const when = (iso) => iso && iso.replace('T', ' ').replace(/(\.\d+)?(Z|\+00:00)$/, ' UTC');

	const method = (terms) => el('dl', {}, terms.map(([term, what]) => [el('dt', {}, term), el('dd', {}, what)]));

	const CHARTS_HOW = 'Point at a chart, tap it, or focus it and use the arrow keys to read its ' +
		'values; buttons below it hide lines. Drag to zoom in, double-click to zoom out.';

	return { part, section, command, factsLine, when, method, CHARTS_HOW };
})();
