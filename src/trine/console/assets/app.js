// The frame: which view the address names, one at a time; what a view has begun ends with it.

import { Closed, get, post } from "./api.js";
import { h, notice, put } from "./dom.js";
import { icon } from "./icons.js";

const VIEWS = [
  ["map", "Map"], ["requests", "Requests"], ["routes", "Routes"], ["functions", "Functions"], ["tables", "Tables"],
  ["roles", "Roles"], ["bill", "Bill"], ["manifest", "Manifest"],
];
const main = document.getElementById("main");
const state = document.getElementById("state");
let current = null;

/** What a view works with: the stack's description, whether it is still shown, and a heartbeat. */
class Scene {
  constructor(stack) {
    this.stack = stack;
    this.ending = new AbortController();
    this.signal = this.ending.signal;
    this.turn = new AbortController();
    this.due = false;
    this.wake = () => {};
    this.signal.addEventListener("abort", () => this.again());
  }

  /** Do a view's work once more, at once, and let go of what it waits for: what it asks for has changed. */
  again() {
    this.due = true;
    this.turn.abort();
    this.wake();
  }

  /** Run `work` now and every `seconds` while the view is shown and the page is looked at, never beside itself. */
  async every(seconds, work) {
    while (!this.signal.aborted) {
      this.due = false;
      if (!document.hidden) {
        const turn = this.turn = new AbortController();
        try {
          await work(turn.signal);
          tell("live");
        } catch (fault) {
          if (this.signal.aborted) return;
          if (!turn.signal.aborted) {
            if (fault instanceof TypeError || fault instanceof ReferenceError) console.error(fault);
            tell(fault instanceof Closed ? "closed" : "no answer", "lost");
            if (fault instanceof Closed) { closed(fault); return; }
          }
        }
      }
      if (!this.due) await new Promise((wake) => {
        const timer = setTimeout(wake, seconds * 1000);
        this.wake = () => { clearTimeout(timer); wake(); };
      });
    }
  }
}

/** Say how the page stands to the stack. */
function tell(text, kind = text) {
  if (state.textContent !== text) state.textContent = text;
  state.className = kind;
}

function closed(fault) {
  put(main, h("h1", {}, "The console is closed"), notice(fault.message, "bad"),
    h("p", {}, "Get a new link in the terminal: ", h("code", {}, "trine console")));
}

/** What stands between the slashes of an address; one that nobody can read is no address. */
function parts(hash) {
  try {
    return hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return [];
  }
}

async function show(stack) {
  current?.ending.abort();
  const scene = new Scene(stack);
  current = scene;
  const [name = "map", ...rest] = parts(location.hash);
  const known = VIEWS.find(([view]) => view === name) ?? VIEWS[0];
  for (const link of document.querySelectorAll("#views a")) {
    if (link.dataset.view === known[0]) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${known[1]} · ${stack.stackName} · Trine`;
  tell("", "");
  try {
    const view = await import(`./${known[0]}.js`);
    if (scene.signal.aborted) return;
    put(main);
    await view.show(main, scene, rest);
  } catch (fault) {
    if (scene.signal.aborted) return;
    if (fault instanceof Closed) closed(fault);
    else main.append(notice(fault.message, "bad"));
  }
}

async function begin() {
  let stack;
  try {
    stack = await get("description");
  } catch (fault) {
    closed(fault);
    return;
  }
  document.getElementById("stack").textContent =
    `${stack.stackName} · ${stack.region}${stack.enforcement === "soft" ? " · SOFT MODE" : ""}`;
  put(document.getElementById("views"), VIEWS.map(([view, title]) =>
    h("li", {}, h("a", { href: `#/${view}`, "data-view": view }, icon(view), title))));
  document.getElementById("out").addEventListener("click", async () => {
    current?.ending.abort();
    await post("logout").catch(() => {});
    location.reload();
  });
  addEventListener("hashchange", () => { show(stack); main.focus({ preventScroll: true }); scrollTo(0, 0); });
  await show(stack);
}

begin();
