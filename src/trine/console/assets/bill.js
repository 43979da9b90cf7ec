// The bill: what the traffic would cost, by whatever one asks, over time, and three ways of paying for a month of it.

import { get } from "./api.js";
import { bytes, h, little, notice, number, put, s, share, sum, table, text, usd } from "./dom.js";

const SPANS = [["1h", "the last hour"], ["1d", "the last day"], ["7d", "the last week"], ["30d", "the last 30 days"]];
const BY = ["route", "function", "table", "index", "api-key", "caller", "service"];

export async function show(main, scene) {
  const wanted = { from: "1d", by: "route" };
  const bill = h("section", {}), plots = h("section", {}), month = h("section", {});
  const choose = (name) => ({ change: (event) => { wanted[name] = event.target.value; scene.again(); } });
  put(main, h("h1", {}, "Bill"), h("p", { class: "lead" }, "What this traffic would cost on AWS. Nothing here is charged to anybody."), h("form", { class: "row", submit: (event) => event.preventDefault() },
    h("label", {}, "Over", h("select", choose("from"), SPANS.map(([value, name]) =>
      h("option", { value, selected: value === wanted.from }, name)))),
    h("label", {}, "By", h("select", choose("by"), BY.map((name) => h("option", { value: name }, name))))), bill, plots, month);
  const draw = async (signal) => {
    try {
      const [found, series] = await Promise.all([get("bill", wanted, signal), get("usage", wanted, signal)]);
      put(bill, shown(found));
      put(plots, h("h2", {}, "Over time"), plot("Calls", series, "calls", number), plot("USD", series, "usd", sum));
    } catch (fault) {
      if (!signal.aborted) put(bill, notice(fault.message));
    }
    try {
      put(month, projected(await get("projection", { from: wanted.from }, signal)));
    } catch (fault) {
      if (!signal.aborted) put(month, h("h2", {}, "A month of this"), notice(fault.message));
    }
  };
  await scene.every(10, draw);
}

function shown(found) {
  return [
    h("div", { class: "cards" }, [["Together", sum(found.total.usd)], ["For use", sum(found.total.usageUsd)],
      ["Even when idle", sum(found.total.standingUsd)],
      ["A million calls, for use", found.total.usageUsdPerMillion === null ? "–" : usd(found.total.usageUsdPerMillion)]].map(([title, value]) =>
      h("div", { class: "card" }, title, h("strong", {}, value)))),
    table(`${found.from} to ${found.to}`, [
      [found.by, (group) => text(group.name || "(none)", 300)], ["Calls", (group) => number(group.calls), "number"],
      ["USD", (group) => sum(group.usd), "number"], ["Share", (group) => share(group.usd, found.total.usageUsd)], ["USD a million", (group) => (group.usdPerMillion === null ? "–" : usd(group.usdPerMillion)), "number"],
      ["Made up of", (group) => Object.entries(group.usdByMeter).sort(([, a], [, b]) => b - a).flatMap(([meter, cost], at) =>
        [at ? " · " : "", h("span", { class: "quiet" }, `${found.priceList.names[meter]} `), sum(cost)]), "found"],
    ], found.groups, "nothing was called in this time: only what is stored costs"),
    table("Even when idle: stored, kept ready, watched", [["What", (line) => text(line.what, 300)], ["For", (line) => found.priceList.names[line.meter]],
      ["Amount", (line) => little(line.amount), "number"], ["Unit", (line) => line.unit],
      ["USD", (line) => sum(line.usd), "number"]], found.standing, "nothing is stored or kept ready"),
  ];
}

function plot(title, series, member, format) {
  const width = 1000, height = 160, left = 70, bottom = 24;
  const totals = series.points.map((point) => Object.values(point.groups).reduce((all, group) => all + group[member], 0));
  const most = Math.max(...totals, 0), top = most || 1;
  const x = (at) => left + (at / Math.max(1, totals.length - 1)) * (width - left - 10);
  const y = (value) => height - bottom - (value / top) * (height - bottom - 12);
  const line = totals.map((value, at) => `${x(at)},${y(value)}`).join(" ");
  const first = series.points[0]?.at ?? "", last = series.points.at(-1)?.at ?? "";
  if (!most) return h("p", { class: "empty" }, `${title}: none in this time`);
  const times = [...new Set([0, Math.floor((totals.length - 1) / 2), totals.length - 1])];
  return h("figure", { class: "card" }, h("figcaption", {}, `${title} by ${span(series.stepMinutes)} (UTC); the most is ${format(most)}`),
    s("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title} from ${first} to ${last}` },
      s("line", { class: "axis", x1: left, y1: height - bottom, x2: width - 10, y2: height - bottom }),
      s("line", { class: "axis", x1: left, y1: 10, x2: left, y2: height - bottom }),
      s("text", { class: "small", x: 4, y: 18 }, format(top)), s("text", { class: "small", x: 4, y: height - bottom }, "0"),
      s("line", { class: "axis", x1: left, y1: y(top / 2), x2: width - 10, y2: y(top / 2), "stroke-dasharray": "2 6" }),
      s("text", { class: "small", x: 4, y: y(top / 2) + 4 }, top >= 2 || format !== number ? format(top / 2) : ""),
      times.map((at, place) => s("text", { class: "small", x: x(at), y: height - 6,
        "text-anchor": place === 0 ? "start" : at === totals.length - 1 ? "end" : "middle" }, moment(series.points[at].at, series.stepMinutes))),
      totals.length > 1 ? [s("polygon", { class: "area", points: `${x(0)},${y(0)} ${line} ${x(totals.length - 1)},${y(0)}` }),
        s("polyline", { class: "spark", points: line })] : "",
      totals.length === 1 ? s("circle", { cx: x(0), cy: y(totals[0]), r: 4, fill: "currentColor" }) : ""));
}

/** A step of time as people say it. */
const span = (minutes) => (minutes === 1 ? "minute" : minutes < 60 ? `${minutes} minutes` : minutes === 60 ? "hour"
  : minutes < 1440 ? `${minutes / 60} hours` : minutes === 1440 ? "day" : `${number(minutes / 1440)} days`);
/** `2026-11-28T14:05Z` below an axis: the day and the time, or the day alone where a step is a day. */
const moment = (at, step) => (step >= 1440 ? at.slice(0, 10) : `${at.slice(5, 10)} ${at.slice(11, 16)}`);

function projected(found) {
  const ways = [["On demand", found.onDemand], ["Provisioned, with auto scaling", found.provisioned],
    ["Always on: load balancer, machines, a database", found.alwaysOn]];
  const least = Math.min(...ways.map(([, way]) => way.usd));
  return [
    h("h2", {}, "A month of this"),
    h("p", { class: "quiet" }, `${number(found.requests)} requests in ${number(found.hours)} hours, at the peak `,
      `${number(found.peakRequestsPerSecond, 2)}/s; ${bytes(found.storedGb * 2 ** 30)} stored`),
    h("div", { class: "cards" }, ways.map(([title, way]) => h("div", { class: way.usd === least ? "card best" : "card" }, title,
      h("strong", {}, usd(way.usd)), way.usd === least ? "the least" : `${number(way.usd / (least || 1), 1)} times the least`))),
    table("The always-on side in parts", [["Part", (part) => part.name], ["Count", (part) => number(part.count), "number"],
      ["USD", (part) => usd(part.usd), "number"]], found.alwaysOn.parts),
    h("details", { class: "card" }, h("summary", {}, "Everything that was assumed"), h("ul", {}, found.assumptions.map((one) => h("li", {}, text(one, 600))))),
    found.warnings.map((warning) => h("p", { class: "notice" }, text(warning, 600))),
    h("p", { class: "quiet" }, `Prices of ${found.priceList.region} as of ${found.priceList.date} (${found.priceList.file}).`),
  ];
}
