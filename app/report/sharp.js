// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Before uPlot, which asks once: two dots a pixel at least, so that charts are sharp on paper.
(() => {
	const real = Object.getOwnPropertyDescriptor(window, 'devicePixelRatio');
	Object.defineProperty(window, 'devicePixelRatio', { configurable: true,
		get: () => Math.max(2, real && real.get ? real.get.call(window) : 1) });
})();
