/* SPDX-License-Identifier: MIT */
/*
 * What a pair of eyes would find wrong with the page as it stands: the body of a function that returns a list of
 * sentences, none where all is well. Text of no size, or that is hidden from the eye on purpose, does not count.
 */
const wrong = [], tell = (what, ...where) => wrong.push(what + ": " + where.map(name).join(" / "));

function name(node) {
	const e = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
	const text = (e.innerText || e.value || "").trim().slice(0, 40);

	return (e.id ? "#" + e.id : e.localName + (e.className && e.className.trim ? "." + e.className : "")) + ` "${text}"`;
}

const up = function* (e) {
	for (; e; e = e.parentElement)
		yield e;
};

function is_shown(e) {
	if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
		return false;
	for (const above of up(e)) {
		const box = above.getBoundingClientRect(), style = getComputedStyle(above);

		if (style.clipPath !== "none" || (style.overflow === "hidden" && (box.width <= 1 || box.height <= 1)))
			return false;
	}
	return true;
}

/* The lines of a text, a little less high than its font: letters do not reach to the edge. */
function lines(node) {
	const range = document.createRange();

	range.selectNodeContents(node);
	return [...range.getClientRects()].filter(r => r.width > 1 && r.height > 1).map(r =>
		({ left: r.left, right: r.right, top: r.top + r.height * .15, bottom: r.bottom - r.height * .15 }));
}

function texts() {
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];

	while (walk.nextNode())
		if (walk.currentNode.data.trim() && is_shown(walk.currentNode.parentElement))
			found.push(walk.currentNode);
	return found;
}

const controls = [...document.querySelectorAll("button, input, canvas, select, textarea")].filter(is_shown);
const words = texts();

/* Nothing is wider than the window. */
if (document.documentElement.scrollWidth > innerWidth) {
	wrong.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth}`);
	for (const e of document.body.querySelectorAll("*"))
		if (e.getBoundingClientRect().right > innerWidth + 1 && is_shown(e))
			tell("reaches out of the window", e);
}

/* Nothing lies upon another thing. */
const pieces = [...words.flatMap(node => lines(node).map(box => ({ node, box }))),
	...controls.map(node => ({ node, box: node.getBoundingClientRect() }))];
const within = (outer, inner) => outer === inner || outer.contains(inner);

pieces.forEach((a, i) => {
	for (const b of pieces.slice(i + 1)) {
		const x = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
		const y = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);

		if (x > 1 && y > 1 && !within(a.node, b.node) && !within(b.node, a.node))
			tell("lie upon each other", a.node, b.node);
	}
});

/* Nothing is cut off by what it is in, and nothing lies left of the window or above it. */
for (const node of words) {
	for (const above of up(node.parentElement)) {
		const style = getComputedStyle(above);

		if (style.overflowX === "visible" || style.display === "inline")
			continue;
		if (above.scrollWidth > above.clientWidth + 1 && style.overflowX !== "auto" && style.overflowX !== "scroll" &&
				above !== document.documentElement && above !== document.body)
			tell("is cut off at the side", node, above);
		if (above.scrollHeight > above.clientHeight + 1 && style.overflowY === "hidden")
			tell("is cut off below", node, above);
	}
	for (const box of lines(node))
		if (box.left < -1 || box.top + scrollY < -1)
			tell("lies outside", node);
}
for (const b of document.querySelectorAll("button"))
	if (is_shown(b) && b.scrollWidth > b.clientWidth + 1)
		tell("does not fit into its button", b);

/* Contrast, as WCAG 2.1 defines it: 4.5 to 1, and 3 to 1 for what is large. */
function colour(text) {
	const n = text.match(/[\d.]+/g).map(Number), srgb = text.startsWith("color(");

	return [...n.slice(0, 3).map(c => srgb ? c * 255 : c), n.length > 3 ? n[3] : 1];
}
const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3]));
const bright = c => c.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
	.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);

function ground(e) {
	const layers = [];

	for (const above of up(e)) {
		layers.push(colour(getComputedStyle(above).backgroundColor));
		if (layers.at(-1)[3] === 1)
			break;
	}
	return layers.reverse().reduce((below, top) => over(top, below),
		matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255]);
}

for (const node of words) {
	const e = node.parentElement, style = getComputedStyle(e), behind = ground(e), ink = colour(style.color);

	for (const above of up(e))
		ink[3] *= Number(getComputedStyle(above).opacity);
	const [dark, light] = [bright(over(ink, behind)), bright(behind)].sort((a, b) => a - b);
	const ratio = (light + .05) / (dark + .05), size = parseFloat(style.fontSize);
	const need = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;

	if (ratio < need)
		tell(`contrast of ${ratio.toFixed(2)}, ${need} is needed`, node);
}
return [...new Set(wrong)];
