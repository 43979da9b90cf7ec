// Elements from data. Every value becomes a text node: nothing that comes from a request, an item or a log is ever read as
// markup, and characters that could hide or turn text around are shown by their code.

const STRANGE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;
export const SHOWN_MAX = 2000;

/** An element with attributes (functions become listeners) and children (elements, texts, lists; null is left out). */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Replace what an element holds. */
export function put(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

let pressed = null; // what a pointer went down on and has not left yet
addEventListener("pointerdown", (event) => { pressed = event.target; }, true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { pressed = null; }, true);

/** Whether somebody is in the middle of a click in an element, or has selected a part of it: then it must stay. */
function held(element) {
  const selection = document.getSelection();
  return element.contains(pressed) || (selection && !selection.isCollapsed && element.contains(selection.anchorNode));
}

/** Replace what an element holds and keep the focus where it was, on what has the same `data-keep`. What somebody is
 * clicking on or copying from waits for the next time. */
export function refresh(element, ...children) {
  if (held(element)) return element;
  const kept = element.contains(document.activeElement) ? document.activeElement.getAttribute("data-keep") : null;
  const places = [...element.querySelectorAll(".scroll")].map((each) => [each.scrollLeft, each.scrollTop]);
  put(element, ...children);
  element.querySelectorAll(".scroll").forEach((each, at) => each.scrollTo(...(places[at] ?? [0, 0])));
  const next = kept === null ? null : element.querySelector(`[data-keep="${CSS.escape(kept)}"]`);
  if (next?.classList.contains("scroll")) next.tabIndex = 0; // whether it scrolls is seen a moment later
  next?.focus({ preventScroll: true });
  return element;
}

/** Text from anywhere, as nodes: strange characters by their code, long texts cut with a button that shows the rest. */
export function text(value, most = SHOWN_MAX) {
  const whole = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  if (whole.length <= most) return visible(whole);
  const holder = h("span", {}, visible(whole.slice(0, most)), "… ");
  holder.append(h("button", {
    type: "button",
    click: () => put(holder, visible(whole)),
  }, `show all ${whole.length.toLocaleString()} characters`));
  return holder;
}

function visible(value) {
  const parts = [];
  let from = 0;
  for (const found of value.matchAll(STRANGE)) {
    parts.push(value.slice(from, found.index));
    const code = found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    parts.push(h("span", { class: "strange", title: "a character that cannot be seen" }, `U+${code}`));
    from = found.index + found[0].length;
  }
  parts.push(value.slice(from));
  return parts.filter((part) => part !== "");
}

/** A table: columns are [title, row → content, "number"?]; rows of any length are made in one go. */
export function table(caption, columns, rows, empty = "nothing yet") {
  if (rows.length === 0) return h("p", { class: "empty" }, empty);
  const tall = rows.length > 25; // scrolls by itself, below a head that stays
  return reachable(caption, h("div", { class: tall ? "scroll tall" : "scroll",
    "data-keep": `scroll ${columns.map(([title]) => title).join()}` }, h("table", {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, columns.map(([title, , kind]) => title === ""
      ? h("td", { class: kind }) : h("th", { scope: "col", class: kind }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, columns.map(([, cell, kind]) => h("td", { class: kind }, cell(row)))))),
  )));
}

/** What scrolls must take the focus, or nobody gets to its end by keyboard; what does not scroll should not. */
export function reachable(name, box) {
  names.set(box, name);
  sizes.observe(box);
  return box;
}

const names = new WeakMap();

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (!target.isConnected) { sizes.unobserve(target); continue; }
    const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
    for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", names.get(target)]]) {
      if (scrolls) target.setAttribute(name, value); else target.removeAttribute(name);
    }
  }
});

export const number = (value, digits = 0) => Number(value).toLocaleString(undefined, { maximumFractionDigits: digits });
export const millis = (value) => `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : number(value)} ms`;
/** An amount of any size in three digits that say something; what is very little by its power of ten. */
export const little = (value) => (value !== 0 && value < 1e-4 ? value.toExponential(2)
  : value < 1000 ? value.toLocaleString(undefined, { maximumSignificantDigits: 3 }) : number(value));
/** Money where sums stand side by side, to a millionth of a dollar below one; what is less is not told apart. */
export const sum = (value) => (value > 0 && value < 1e-6 ? "< $0.000001" : value >= 1 || !value ? usd(value) : `$${Number(value).toFixed(6)}`);
/** Money; small sums keep three digits that say something. */
export function usd(value) {
  if (value >= 0.01 || value === 0) return `$${Number(value).toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  if (value < 1e-10) return "< $0.0000000001";
  return `$${Number(value).toFixed(Math.min(12, 2 - Math.floor(Math.log10(value))))}`;
}
export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

export function bytes(value) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  while (value >= 1024 && at < units.length - 1) { value /= 1024; at += 1; }
  return `${number(value, at ? 1 : 0)} ${units[at]}`;
}

/** A status as people read it, with its colour. */
export function status(code) {
  const kind = code >= 500 ? "bad" : code >= 400 ? "warn" : code ? "good" : "";
  return h("span", { class: `pill ${kind}` }, code || "under way");
}

/** The share of a whole as a small bar. */
export function share(part, whole) {
  const filled = h("span", {});
  filled.style.width = `${whole ? Math.max(part ? 1.5 : 0, (part / whole) * 100) : 0}%`;
  return h("span", { class: "share", "aria-hidden": "true" }, filled);
}

/** A line over a series, and the area below it. */
export function area(series, width, height) {
  const top = Math.max(1, ...series);
  const points = series.map((value, at) =>
    `${((at / Math.max(1, series.length - 1)) * width).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`).join(" ");
  return [s("polygon", { class: "area", points: `0,${height} ${points} ${width},${height}` }), s("polyline", { class: "spark", points })];
}

/** A notice that is read out when it appears. */
export function notice(message, kind = "") {
  return h("p", { class: `notice ${kind}`, role: "alert" }, text(message));
}
