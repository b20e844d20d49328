// SPDX-License-Identifier: BSD-3-Clause
'use strict';

// Colours of charts. Canvases know no style sheet, so they are read from it when drawn.
const theme = (() => {
	// Okabe and Ito's hues, told apart by the colour-blind; of light and of dark grounds.
	const LIGHT = ['#0067a8', '#c14a00', '#00795a', '#a8487f', '#8a6a00', '#2f8fc9', '#4d4d4d'];
	const DARK = ['#5ab4f0', '#ff8a4c', '#2fc79b', '#e58fc0', '#e9b93a', '#a7d8f7', '#c8c8c8'];
	// From one sample to the most. Monotonous in lightness, so that paper without colour
	// tells them too.
	const HEAT_LIGHT = ['#d3e3f3', '#9fc4e4', '#5b9bd0', '#2470b3', '#0d4a8a', '#06254f'];
	const HEAT_DARK = ['#1d3b5c', '#27598c', '#3a80bf', '#6aabdf', '#a9d3f1', '#f1f8fe'];
	const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

	const css = (name) =>
		getComputedStyle(document.documentElement).getPropertyValue(name).trim();
	const isDark = () => css('--dark') === '1';

	function mix(hex, other, share) {
		const part = (color, at) => parseInt(color.slice(at, at + 2), 16);
		return '#' + [1, 3, 5].map((at) =>
			Math.round(part(hex, at) * (1 - share) + part(other, at) * share)
				.toString(16).padStart(2, '0')).join('');
	}

	// Of lightness place (0 to 1) in its hue: the runs of one document.
	function shade(hue, place) {
		const dark = isDark();
		const base = (dark ? DARK : LIGHT)[hue % LIGHT.length];
		if (place === null)
			return base;
		return place < 0.5 ? mix(base, dark ? '#ffffff' : '#000000', (0.5 - place) * 1.1)
			: mix(base, dark ? '#101418' : '#ffffff', (place - 0.5) * 1.1);
	}

	// Hues come again after seven; dashes tell those rounds apart.
	const dash = (index) => DASHES[Math.floor(index / LIGHT.length) % DASHES.length];

	function heat(share) {
		const ramp = isDark() ? HEAT_DARK : HEAT_LIGHT;
		const at = Math.min(Math.max(share, 0), 1) * (ramp.length - 1);
		const low = Math.min(Math.floor(at), ramp.length - 2);
		return mix(ramp[low], ramp[low + 1], at - low);
	}

	return { css, shade, dash, heat, DASHES };
})();
