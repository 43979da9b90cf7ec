// Functions: environments warm and cold, logs as they come, and a form that invokes one with an event.

import { get, post } from "./api.js";
import { h, millis, notice, number, put, refresh, status, table, text } from "./dom.js";

export async function show(main, scene, [name]) {
  if (name) return one(main, scene, name);
  const count = scene.stack.functions.length, list = h("div", {});
  put(main, h("h1", {}, "Functions"), h("p", { class: "lead" }, "Each runs in processes of its own, started when a request comes and ended when none does."), list);
  await scene.every(2, async () => {
    const now = new Map((await get("live", {}, scene.signal)).functions.map((each) => [each.function, each]));
    const of = (each) => now.get(each.name) ?? { environments: {}, invocations: 0, errors: 0, throttles: 0 };
    refresh(list, table(count === 1 ? "1 function" : `${number(count)} functions`, [
      ["Function", (each) => [h("a", { href: `#/functions/${encodeURIComponent(each.name)}`, "data-keep": each.name }, each.logicalId),
        h("div", { class: "quiet below" }, each.handler)], "wraps"],
      ["Runtime", (each) => each.runtime],
      ["Limits", (each) => `${number(each.memoryMb)} MB, ${number(each.timeoutSeconds)} s`, "tight"],
      ["Environments", (each) => warmth(of(each).environments)],
      ["Invocations", (each) => number(of(each).invocations), "number"],
      ["Failed", (each) => h("span", { class: of(each).errors ? "bad" : "" }, number(of(each).errors)), "number"],
      ["Throttled", (each) => number(of(each).throttles), "number"],
      ["p99", (each) => (of(each).p99Millis ? millis(of(each).p99Millis) : "–"), "number"],
    ], scene.stack.functions, "the stack has no functions"));
  });
}

/** How many environments are warm, and how many are at work. */
function warmth(states) {
  const warm = states.idle ?? 0, all = Object.values(states).reduce((sum, count) => sum + count, 0);
  return h("span", { class: all ? "pill good" : "pill" }, all ? `${warm} warm${all > warm ? `, ${all - warm} busy` : ""}` : "cold");
}

async function one(main, scene, name) {
  const found = scene.stack.functions.find((each) => each.name === name) ?? { logicalId: name };
  const environments = h("div", {}), log = h("div", {}), filter = h("input", { type: "search" });
  put(main, h("p", { class: "crumb" }, h("a", { href: "#/functions" }, "← All functions")), h("h1", {}, text(found.logicalId)),
    h("dl", {}, [["Name", name], ["Runtime", found.runtime], ["Handler", found.handler], ["Role", found.role]].flatMap(
      ([title, value]) => [h("dt", {}, title), h("dd", {}, text(value ?? ""))])),
    invoking(name, scene), h("h2", {}, "Environments"), environments,
    h("h2", {}, "Log"), h("form", { class: "row", submit: (event) => event.preventDefault() },
      h("label", { class: "grow" }, "Lines that contain", filter)), log);
  let last = "";
  await scene.every(1, async () => {
    const [pulse, lines] = await Promise.all([
      get(`environments/${encodeURIComponent(name)}`, {}, scene.signal),
      get("logs", { function: name, limit: 300, filter: filter.value }, scene.signal),
    ]);
    refresh(environments, table(`${pulse.environments.length} environment${pulse.environments.length === 1 ? "" : "s"}`, [
      ["Environment", (each) => h("code", {}, each.id)], ["State", (each) => h("span", { class: each.state === "idle" ? "pill good" : "pill" }, each.state)],
      ["Invocations", (each) => each.uses, "number"], ["Init", (each) => millis(each.initMs), "number"],
    ], pulse.environments, "none: nothing runs before the first request, and nothing after the idle time"));
    const seen = JSON.stringify(lines.events.at(-1) ?? "") + lines.events.length + filter.value;
    if (seen !== last) {
      last = seen;
      const before = log.querySelector("pre"), atEnd = !before || before.scrollTop + before.clientHeight >= before.scrollHeight - 8;
      const kept = before?.scrollTop ?? 0;
      put(log, lines.events.length ? h("pre", { tabindex: "0", "aria-label": "Log lines" }, lines.events.map((event) => [
        new Date(event.timestamp ?? event.timestampMs ?? 0).toISOString().slice(11, 23), " ",
        text(event.message.replace(/\n$/, ""), 4000), "\n"])) : h("p", { class: "quiet" }, "no lines yet"));
      const now = log.querySelector("pre"); // who reads further up stays there; who is at the end follows
      if (now) now.scrollTop = atEnd ? now.scrollHeight : kept;
    }
  });
}

function invoking(name, scene) {
  const event = h("textarea", { rows: 6, spellcheck: "false" }), answer = h("div", { "aria-live": "polite" });
  event.value = "{}";
  const send = async (submitted) => {
    submitted.preventDefault();
    put(answer, h("p", { class: "quiet" }, "running …"));
    try {
      JSON.parse(event.value);
      const done = await post("invoke", { function: name, payload: event.value }, scene.signal);
      put(answer, h("p", {}, "Status ", status(done.status), done.functionError
        ? h("strong", { class: "bad" }, ` ${done.functionError} error`) : "",
      done.requestId ? [" · ", h("a", { href: `#/requests/${done.requestId}` }, "what happened")] : ""),
      h("pre", {}, text(done.body)), done.log ? h("pre", { class: "quiet" }, text(done.log, 5000)) : "");
    } catch (fault) {
      put(answer, notice(fault instanceof SyntaxError ? `the event is no JSON: ${fault.message}` : fault.message, "bad"));
    }
  };
  return h("form", { submit: send, class: "card" }, h("h2", {}, "Invoke"), h("label", {}, "Event (JSON)", event),
    h("p", {}, h("button", { class: "primary" }, "Invoke")), answer);
}
