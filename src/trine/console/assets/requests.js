// The stream of requests, newest first, with filters; and one request's waterfall, with the decision that stopped it.

import { get } from "./api.js";
import { clock, h, little, millis, notice, put, refresh, share, status, table, text, usd } from "./dom.js";

export async function show(main, scene, [id]) {
  if (id) return waterfall(main, scene, id);
  const wanted = { kind: "root", status: "", text: "" };
  const list = h("div", { "aria-live": "off" });
  let held = false;
  const draw = async (signal) => {
    if (held) return;
    const { requests } = await get("requests", { ...wanted, count: 200 }, signal);
    const sought = wanted.text || wanted.status || wanted.kind !== "root";
    refresh(list, requests.length || sought ? rows(requests) : nobodyYet(scene.stack));
  };
  const choose = (name) => ({ input: (event) => { wanted[name] = event.target.value; scene.again(); } });
  put(main, h("h1", {}, "Requests"),
    h("form", { class: "row", submit: (event) => event.preventDefault() },
      h("label", {}, "Which", h("select", choose("kind"), [["root", "from outside"], ["apigateway", "front door"],
        ["lambda", "functions"], ["dynamodb", "tables"]].map(([value, name]) => h("option", { value }, name)))),
      h("label", {}, "Status", h("select", choose("status"), [["", "any"], ["2", "2xx"], ["4", "4xx"], ["5", "5xx"],
        ["refused", "refused"]].map(([value, name]) => h("option", { value }, name)))),
      h("label", { class: "grow" }, "Title or request id contains", h("input", { type: "search", ...choose("text") })),
      h("label", { class: "inline" }, h("input", { type: "checkbox", change: (event) => { held = event.target.checked; } }),
        "hold the list")),
    list);
  await scene.every(1, draw);
}

function rows(requests) {
  const slowest = Math.max(1, ...requests.map((one) => one.micros));
  return table(`The latest ${requests.length} requests`, [
    ["When", (one) => clock(one.startedAt), "tight"],
    ["Request", (one) => h("a", { href: `#/requests/${one.requestId}`, "data-keep": one.requestId }, text(one.title, 200)), "wraps"],
    ["Status", (one) => status(one.status)],
    ["Took", (one) => (one.status ? millis(one.micros / 1000) : "–"), "number"], ["", (one) => share(one.micros, slowest)],
    ["Caused", (one) => Object.entries(one.calls).map(([kind, count]) => `${count} ${kind}`).join(", "), "tight"],
    ["Refused by", (one) => one.refusedBy ? [h("strong", {}, one.refusedBy), ": ", text(one.reason, 200)] : "", "wraps"],
  ], requests, "no request fits");
}

function nobodyYet(stack) {
  const url = stack.apis.find((api) => api.kind !== "WEBSOCKET")?.url;
  return h("p", { class: "empty" }, "No request has come yet. ", url ? ["Send one: ", h("code", {}, `curl ${url}`)] : "");
}

async function waterfall(main, scene, id) {
  const trace = await get(`explain/${encodeURIComponent(id)}`, {}, scene.signal);
  const total = Math.max(1, trace.endMicros);
  put(main, h("p", { class: "crumb" }, h("a", { href: "#/requests" }, "← All requests")),
    h("h1", {}, text(trace.title || trace.kind, 300), " → ", status(trace.status), ` in ${millis(total / 1000)}`),
    h("p", { class: "lead mono" }, trace.requestId));
  for (const [refusal, where] of refusals(trace)) {
    main.append(h("section", { class: "notice bad" },
      h("h2", {}, `Refused by ${refusal.room}`), h("p", {}, text(refusal.reason)),
      h("dl", {}, Object.entries(refusal).filter(([name]) => !["room", "reason"].includes(name)).flatMap(([name, value]) =>
        [h("dt", {}, name), h("dd", { class: "mono" }, text(value))])),
      h("p", { class: "quiet" }, text(where.title || where.kind, 300))));
  }
  main.append(table("What happened, room by room", [
    ["At", (row) => millis(row.start / 1000), "number"],
    ["Took", (row) => millis((row.end - row.start) / 1000), "number"],
    ["Time", (row) => bar(row, total)],
    ["Room", (row) => indented(row), "name"],
    ["Found", (row) => row.detail ? found(row.detail) : "", "found"],
  ], [...steps(trace, 0)]));
  if (trace.receipt) main.append(receipt(trace.receipt));
  else main.append(notice("There is no receipt: nothing is counted here."));
}

/** What a room found, member by member. */
function found(detail) {
  return Object.entries(detail).filter(([name]) => name !== "room").flatMap(([name, value], at) => [
    at ? " · " : "", h("span", { class: "quiet" }, `${name} `), h("span", { class: "mono" }, text(value, 300))]);
}

function* refusals(trace) {
  if (trace.refusal) yield [trace.refusal, trace];
  for (const child of trace.children) yield* refusals(child);
}

function* steps(trace, depth) {
  const events = [
    ...trace.steps.map((step) => ({ at: step.startMicros, step })),
    ...trace.children.map((child) => ({ at: child.startMicros, child })),
  ].sort((a, b) => a.at - b.at);
  for (const { step, child } of events) {
    if (step) {
      const refused = trace.refusal && step.room === trace.refusal.room && step.detail?.reason === trace.refusal.reason;
      yield { depth, kind: trace.kind, name: step.room, start: step.startMicros, end: step.endMicros, detail: step.detail, refused };
    } else {
      yield { depth, kind: child.kind, name: `▼ ${child.title || child.kind} → ${child.status}`, start: child.startMicros, end: child.endMicros };
      yield* steps(child, depth + 1);
    }
  }
}

function bar(row, total) {
  const part = h("span", { class: row.refused ? "refused" : row.kind });
  part.style.left = `${(row.start / total) * 100}%`;
  part.style.width = `${Math.max(0.4, ((row.end - row.start) / total) * 100)}%`;
  return h("div", { class: "track", "aria-hidden": "true" }, part);
}

function indented(row) {
  const name = h("span", {}, text(row.name, 200));
  name.style.cssText = `display: block; padding-left: ${row.depth * 1.2}rem`;
  return name;
}

function receipt(found) {
  return h("section", {}, h("h2", {}, "Receipt"),
    h("p", {}, `${usd(found.usd)} for this request, ${usd(found.usdPerMillion)} for a million like it`),
    table("At the price list's first tier", [
      ["What", (line) => [line.meter, " ", text(line.what)]], ["Amount", (line) => little(line.amount), "number"],
      ["Unit", (line) => line.unit], ["USD", (line) => usd(line.usd), "number"],
    ], found.lines, "nothing on the price list"));
}
