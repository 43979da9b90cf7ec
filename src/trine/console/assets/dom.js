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
  if (rows.length === 0) return h("p", { class: "quiet" }, empty);
  return h("div", { class: "scroll" }, h("table", {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, columns.map(([title, , kind]) => h("th", { scope: "col", class: kind }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, columns.map(([, cell, kind]) => h("td", { class: kind }, cell(row)))))),
  ));
}

export const number = (value, digits = 0) => Number(value).toLocaleString(undefined, { maximumFractionDigits: digits });
export const millis = (value) => `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : number(value)} ms`;
export const usd = (value) => `$${value >= 0.01 || value === 0 ? number(value, 2) : Number(value).toPrecision(3)}`;
export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

export function bytes(value) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  while (value >= 1024 && at < units.length - 1) { value /= 1024; at += 1; }
  return `${number(value, at ? 1 : 0)} ${units[at]}`;
}

/** A status as people read it, with its colour. */
export function status(code) {
  const kind = code >= 500 ? "bad" : code >= 400 ? "warn" : code ? "good" : "quiet";
  return h("span", { class: kind }, code || "under way");
}

/** A small line of the last minute. */
export function spark(series, width = 120, height = 24) {
  const top = Math.max(1, ...series);
  const points = series.map((value, at) =>
    `${(at / Math.max(1, series.length - 1)) * width},${height - 2 - (value / top) * (height - 4)}`).join(" ");
  return s("polyline", { class: "spark", points });
}

/** A notice that is read out when it appears. */
export function notice(message, kind = "") {
  return h("p", { class: `notice ${kind}`, role: "alert" }, text(message));
}
