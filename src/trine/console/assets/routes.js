// Routes with what guards them, and a form to try one: signed, with a key or a token as it needs.

import { post } from "./api.js";
import { h, notice, put, status, table, text } from "./dom.js";

export async function show(main, scene) {
  const form = h("section", {});
  put(main, h("h1", {}, "Routes"), h("p", { class: "lead" }, "What answers at the front door, what guards it, and a form for each of them."), form);
  for (const api of scene.stack.apis) {
    const base = (api.stages.find((stage) => stage.name === "$default") ?? api.stages[0])?.pathUrl ?? api.url;
    main.append(h("h2", {}, `${api.logicalId || api.name} (${api.kind})`),
      h("p", { class: "quiet" }, "answers at ", h("code", {}, api.url), api.url === base ? "" : [" and ", h("code", {}, base)]),
      table(`${api.routes.length} route${api.routes.length === 1 ? "" : "s"}`, [
        ["Method", (route) => h("span", { class: "verb" }, route.method)], ["Path", (route) => h("code", {}, text(route.path, 300))],
        ["Integration", (route) => route.integration], ["Function", (route) => route.function
          ? h("a", { href: `#/functions/${encodeURIComponent(route.function)}` }, route.function) : ""],
        ["Guard", (route) => guards(route)],
        ["", (route) => h("button", { type: "button", click: () => {
          put(form, tryForm(base, route, scene));
          form.querySelector("input").focus();
          form.scrollIntoView({ block: "nearest" });
        } }, "Try it"), "act"],
      ], api.routes, "no routes"));
  }
  if (scene.stack.apis.length === 0) main.append(h("p", { class: "empty" }, "The stack has no API."));
}

/** What a request must bring; a key alone is no authorization, as AWS says, but it keeps strangers out. */
function guards(route) {
  const open = route.authorization === "NONE";
  return [
    open && route.apiKeyRequired ? "" : h("span", { class: open ? "pill warn" : "pill good" }, open ? "open to all" : route.authorization),
    route.apiKeyRequired ? h("span", { class: "pill good" }, "API key") : ""];
}

function tryForm(base, route, scene) {
  const method = ["ANY", "$default"].includes(route.method) ? "GET" : route.method;
  const path = (route.path === "$default" ? "/" : route.path).replace(/^\//, "");
  const url = h("input", { value: base + path, size: 60, required: true });
  const verb = h("input", { value: method, size: 8, required: true });
  const headers = h("textarea", { rows: 2, spellcheck: "false" });
  headers.value = "{}";
  const body = h("textarea", { rows: 5, spellcheck: "false" });
  const sign = h("input", { type: "checkbox" });
  sign.checked = route.authorization === "AWS_IAM";
  const key = h("input", { size: 30, autocomplete: "off", placeholder: route.apiKeyRequired ? "from: trine env --json" : null }), token = h("input", { size: 40, autocomplete: "off" });
  const answer = h("div", { "aria-live": "polite" });
  const send = async (event) => {
    event.preventDefault();
    put(answer, h("p", { class: "quiet" }, "waiting …"));
    try {
      const given = JSON.parse(headers.value || "{}");
      if (key.value) given["x-api-key"] = key.value;
      if (token.value) given.authorization = token.value;
      put(answer, shown(await post("try", {
        method: verb.value, url: url.value, headers: given, body: body.value, sign: sign.checked,
      }, scene.signal)));
    } catch (fault) {
      put(answer, notice(fault instanceof SyntaxError ? `the headers are no JSON object: ${fault.message}` : fault.message, "bad"));
    }
  };
  return h("form", { submit: send, class: "card" },
    h("h2", {}, `Try ${route.method} ${route.path}`),
    h("div", { class: "row" }, h("label", {}, "Method", verb), h("label", { class: "grow" }, "URL", url)),
    h("div", { class: "row" }, h("label", {}, "API key", key), h("label", { class: "grow" }, "Authorization", token),
      h("label", { class: "inline" }, sign, "sign as the owner (AWS_IAM)")),
    h("label", {}, "Headers, as a JSON object", headers), h("label", {}, "Body", body),
    h("p", {}, h("button", { class: "primary" }, "Send")), answer);
}

function shown(answer) {
  return [
    h("h3", {}, "The answer"), h("p", {}, "Status ", status(answer.status), answer.requestId
      ? [" · ", h("a", { href: `#/requests/${answer.requestId}` }, "what happened to it")] : ""),
    table("Headers", [["Name", ([name]) => text(name, 200)], ["Value", ([, value]) => text(value, 1000)]], answer.headers),
    h("h3", {}, answer.isBase64Encoded ? "Body (base64)" : "Body"), h("pre", { tabindex: "0", "aria-label": "Body of the answer" }, text(answer.body)),
  ];
}
