"use strict";
// Filters, sorts and joins what the page says already. Text enters the page as text only; nothing is ever fetched.
(() => {
const PAGE = 100; // rows drawn at a time
const PRINTED = 2000; // rows drawn for paper
const COLUMNS = 7;
const NOBODY = "(no owner)";
const FORMULA = /^\s*[=+\-@\t\r%|\uFF0B\uFF0D\uFF1D\uFF20]/; // what a spreadsheet may run
const LISTS = ["severity", "verdict"];
const CHOICES = ["rule", "from", "to", "zone", "owner", "state", "group"];
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(`x-${id}`);

/** An element with attributes and children; strings become text. */
function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== false) made.setAttribute(key, value);
  made.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== "" && child !== null));
  return made;
}

function button(words, act, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, words);
  made.addEventListener("click", act);
  return made;
}

const arrow = () => make("span", { class: "to", "aria-label": "to", role: "img" }, "→");
const zones = (one) => (one.from && one.to ? [one.from, " ", arrow(), " ", one.to] : [one.from || one.to || ""]);
const pair = (one) => [one.from, one.to].filter(Boolean).join(" → ");
const chip = (verdict) => make("span", { class: `chip v-${verdict}` }, verdict);
const grade = (severity) => make("span", { class: `grade g-${severity}` }, severity);
const counted = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;

for (const one of data.findings) {
  one.owner ||= NOBODY;
  one.pair = pair(one);
  one.text = [one.title, one.rule, one.id, one.pair, one.ports, one.owner, one.row, one.exception, one.observed,
    one.reason, ...(one.objects ?? []), ...(one.controls ?? []), ...(one.path ?? []).map((step) => step.object),
    ...(one.witness ?? []).flatMap((flow) => [flow.from, flow.to])].filter(Boolean).join("\n").toLowerCase();
}
const byId = new Map(data.findings.map((one) => [one.id, one]));

/* What is shown: kept in the address, so that it can be sent to somebody. */

const fresh = () => ({ q: "", severity: [], verdict: [], rule: "", from: "", to: "", zone: "", owner: "", state: "", group: "", sort: "", open: "" });
let state = fresh();
let rows = data.findings;
let limit = PAGE;
let saving = 0;

function written() {
  const found = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) if (value.length) found.set(key, LISTS.includes(key) ? value.join(",") : value);
  return `#${found}`;
}

/** The state that the address asks for; undefined where it names a part of the page. */
function asked() {
  const hash = location.hash.slice(1);
  if (hash.startsWith("f-")) return byId.has(hash.slice(2)) ? { ...state, open: hash.slice(2) } : undefined;
  if (hash && !hash.includes("=")) return undefined;
  const found = fresh();
  for (const [key, value] of new URLSearchParams(hash)) {
    if (!(key in found)) continue;
    found[key] = LISTS.includes(key) ? value.split(",").filter(Boolean) : value;
  }
  return found;
}

function save(step) {
  clearTimeout(saving);
  if (step) history.pushState(null, "", written());
  else saving = setTimeout(() => history.replaceState(null, "", written()), 150);
}

function change(part, step = false) {
  state = { ...state, ...part };
  limit = PAGE;
  draw();
  save(step);
}

/* The list. */

function matches(one) {
  return (!state.severity.length || state.severity.includes(one.severity))
    && (!state.verdict.length || state.verdict.includes(one.verdict))
    && (!state.rule || one.rule === state.rule)
    && (!state.from || one.from === state.from)
    && (!state.to || one.to === state.to)
    && (!state.zone || one.from === state.zone || one.to === state.zone)
    && (!state.owner || one.owner === state.owner)
    && (!state.state || one.state === state.state)
    && state.q.toLowerCase().split(/\s+/).every((word) => one.text.includes(word));
}

const RANKED = { severity: data.severities, verdict: data.verdicts };

function sorted(found) {
  if (!state.sort) return found;
  const falling = state.sort.startsWith("-");
  const key = state.sort.replace("-", "");
  const ranks = RANKED[key];
  const keyed = found.map((one) => [ranks ? -ranks.indexOf(one[key]) : String(one[key] ?? "").toLowerCase(), one]);
  keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (falling ? -1 : 1));
  return keyed.map(([, one]) => one);
}

/** The findings by the value of a field, in the order of first appearance. */
function grouped(found) {
  const groups = new Map();
  for (const one of found) {
    const name = one[state.group] || "(none)";
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(one);
  }
  return groups;
}

function row(one) {
  const open = state.open === one.id;
  const opener = button(one.title, () => change({ open: open ? "" : one.id }, true), { class: "opener", "aria-expanded": String(open) });
  const drawn = make("tr", open ? { class: "opened" } : {},
    make("td", {}, grade(one.severity)),
    make("td", {}, chip(one.verdict)),
    make("th", { scope: "row" }, opener, make("br"), make("small", {}, `${one.rule} `, make("span", { class: "mono" }, one.id.slice(0, 8)))),
    make("td", {}, zones(one)),
    make("td", { class: "mono" }, one.ports ?? ""),
    make("td", { class: "who" }, one.owner),
    make("td", { class: "tight" }, (one.since ?? "").slice(0, 10), one.state && make("br"), one.state && make("small", {}, one.state)));
  if (open) opener.id = "x-opened";
  opener.told = one.id;
  return open ? [drawn, make("tr", { class: "detail" }, make("td", { colspan: COLUMNS }, card(one)))] : [drawn];
}

function heading(name, found) {
  const severities = data.severities.map((severity) => [found.filter((one) => one.verdict === "fail" && one.severity === severity).length, severity]);
  const words = severities.filter(([number]) => number).map(([number, severity]) => `${number} ${severity}`).join(", ");
  const tail = `${counted(found.length, "finding")}${words ? `; failed: ${words}` : ""}`;
  return make("tr", { class: "group" }, make("th", { scope: "colgroup", colspan: COLUMNS }, name, " ", make("small", {}, tail)));
}

function body(most) {
  if (!state.group) return [make("tbody", {}, rows.slice(0, most).map(row))];
  const bodies = [];
  let left = most;
  for (const [name, found] of grouped(rows)) {
    if (left <= 0) break;
    bodies.push(make("tbody", {}, heading(name, found), found.slice(0, left).map(row)));
    left -= found.length;
  }
  return bodies;
}

function list(most) {
  const table = at("table");
  const focused = document.activeElement?.told;
  for (const old of [...table.tBodies]) old.remove();
  table.append(...body(most));
  if (focused) [...table.querySelectorAll("tbody .opener")].find((one) => one.told === focused)?.focus();
  for (const head of table.tHead.querySelectorAll("[data-sort]")) {
    const active = state.sort.replace("-", "") === head.dataset.sort;
    head.setAttribute("aria-sort", !active ? "none" : state.sort.startsWith("-") ? "descending" : "ascending");
  }
}

function draw() {
  const found = data.findings.filter(matches);
  rows = sorted(found);
  if (state.group) rows = [...grouped(rows).values()].flat();
  if (at("table")) {
    controls();
    list(limit);
    const whole = rows.length <= limit;
    at("shown").textContent = `${rows.length.toLocaleString("en")} of ${counted(data.findings.length, "finding")} `
      + (whole ? "shown" : `match, the first ${limit.toLocaleString("en")} shown`);
    at("more").hidden = rows.length <= limit;
    at("more").textContent = `Show ${Math.min(PAGE, rows.length - limit)} more`;
  }
  mark();
}

/** The open finding in sight, whatever the filter and the page were. */
function reveal() {
  const one = byId.get(state.open);
  if (!one) return;
  if (!matches(one)) state = { ...fresh(), open: one.id };
  draw();
  const place = rows.indexOf(one);
  if (place >= limit) limit = Math.ceil((place + 1) / PAGE) * PAGE;
  draw();
  at("opened").focus({ preventScroll: true });
  at("opened").scrollIntoView({ block: "start" });
}

/* One finding in full. */

const part = (name, ...children) => make("div", { class: "block" }, make("h4", {}, name), ...children);
const fact = (name, value) => (value ? make("div", {}, make("dt", {}, name), make("dd", {}, value)) : undefined);
const mono = (text) => make("span", { class: "mono" }, text);
const said = (name, text) => make("p", { class: "reason" }, make("b", {}, `${name}: `), text);

function steps(path) {
  return make("ol", { class: "path" }, path.map((step) => make("li", {},
    step.direction && make("b", {}, `${step.direction} `),
    step.object && [mono(step.object), ": "],
    step.text ?? "",
    step.place && [make("br"), make("span", { class: "mono place" }, step.place)])));
}

function flows(found) {
  return make("ul", { class: "evidence" }, found.map((flow) => make("li", {}, mono(flow.from), " ", arrow(), " ", mono(flow.to),
    flow.labels && [make("br"), make("small", {}, flow.labels)])));
}

function pre(text) {
  const made = make("div", { class: "yaml" }, make("pre", { tabindex: "0" }, text));
  made.append(button("Copy", (event) => copy(text, event.target)));
  return made;
}

function card(one) {
  const why = data.rules[one.rule]?.why;
  return make("article", { class: `card k-${one.verdict}`, "aria-label": one.title },
    make("h3", { class: "aside" }, one.title),
    one.reason && said("Not evaluated because", one.reason),
    (one.refused ?? []).map((text) => said("Exception not in force", `${text}.`)),
    why && make("p", { class: "why" }, make("b", {}, "Why it matters: "), why),
    make("div", { class: "columns against" },
      (one.expected || one.observed) && [part("Expected", make("p", {}, one.expected || "not stated")), part("Observed", make("p", {}, one.observed || "not stated"))],
      one.objects && part("Objects at fault", make("p", { class: "mono" }, one.objects.join(", ")))),
    one.path && part("Path", steps(one.path)),
    one.witness && part(one.counts ? `Witness (${one.counts})` : "Witness", flows(one.witness)),
    one.fix && part("Fix", make("p", {}, one.fix), one.yaml && pre(one.yaml)),
    make("dl", { class: "foot" },
      fact("Matrix row", one.row), fact("Exception", one.exception), fact("Supports controls", (one.controls ?? []).join(", ")),
      fact("Fingerprint", one.id)),
    make("p", { class: "acts" }, button("Copy link to this finding", (event) => copy(`${location.href.split("#")[0]}#open=${encodeURIComponent(one.id)}`, event.target))));
}

/* The matrix: a cell leads to its findings and their paths. */

function drill() {
  const panel = at("drill");
  const i = data.zones.indexOf(state.from);
  const j = data.zones.indexOf(state.to);
  const cell = data.cells[i]?.[j];
  panel.hidden = i < 0 || j < 0;
  panel.replaceChildren();
  if (panel.hidden) return;
  const found = (cell?.findings ?? []).map((id) => byId.get(id)).filter(Boolean);
  const chain = data.chains.find((one) => one.from === state.from && one.to === state.to);
  panel.append(
    make("h3", {}, zones(state), " ", chip(cell?.verdict ?? "not-evaluated")),
    make("dl", { class: "facts" },
      fact("Matrix row", cell?.row || "none: by default"), fact("Matrix allows", cell?.expected), fact("Open", cell?.observed),
      fact("Open beyond it", cell?.excess), fact("Endpoint pairs beyond it", cell?.pairs), fact("Severity", cell?.severity),
      fact("Undecided because", (cell?.reasons ?? []).join(", ")), fact("Justification", cell?.why)),
    cell?.witness ? part("Witness", flows([cell.witness])) : "",
    found.length ? part(counted(found.length, "finding"), make("ul", { class: "found" }, found.slice(0, PAGE).map((one) => make("li", {},
      button(one.title, () => go({ open: one.id }), { class: "opener" }), " ", make("small", {}, `${one.verdict}, ${one.severity}`),
      one.path ? steps(one.path) : "")))) : make("p", {}, "No finding names this pair."),
    chain ? part("Connected through other zones or directly", make("p", {}, chain.title), make("ol", { class: "path" }, (chain.hops ?? []).map((hop) => make("li", { class: "mono" }, hop))), chain.cut ? make("p", {}, `Smallest cut: ${chain.cut}`) : "") : "",
    make("p", { class: "acts" },
      found.length ? button(`Show in the list of findings`, () => at("tools").scrollIntoView()) : "",
      button("Close", () => { const back = square(i, j); change({ from: "", to: "" }, true); back?.focus(); })));
}

/** A finding opened from elsewhere on the page. */
function go(part) {
  state = { ...state, ...part };
  reveal();
  save(true);
}

const square = (i, j) => at("heat")?.querySelector("tbody")?.rows[i]?.cells[j + 1];

function pick(i, j) {
  const chosen = { from: data.zones[i], to: data.zones[j], zone: "" };
  const same = state.from === chosen.from && state.to === chosen.to;
  change(same ? { from: "", to: "" } : chosen, true);
  if (!same) at("drill").focus();
}

/** Of many places that can be chosen one is a stop of the tab key; arrow keys walk to the others. */
function roving(places, width, choose) {
  const keys = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width };
  places.forEach((place, number) => {
    place.tabIndex = number ? -1 : 0;
    place.addEventListener("click", (event) => { event.preventDefault(); choose(place); });
    place.addEventListener("focus", () => { for (const other of places) other.tabIndex = other === place ? 0 : -1; });
    place.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(place); }
      const next = places[number + (keys[event.key] ?? 0)];
      if (event.key in keys && next) { event.preventDefault(); next.focus(); }
    });
  });
}

function matrix() {
  const table = at("heat").querySelector("table");
  const shown = table.tBodies[0].rows.length;
  table.setAttribute("role", "grid");
  table.classList.add("live");
  const cells = [...table.tBodies[0].rows].flatMap((line) => [...line.cells].slice(1));
  for (const cell of cells) cell.querySelector("a")?.replaceWith(...cell.querySelector("a").childNodes);
  cells.forEach((cell, number) => {
    cell.setAttribute("aria-label", `${data.zones[Math.floor(number / shown)]} to ${data.zones[number % shown]}: ${cell.textContent.trim()}`);
    cell.title = cell.getAttribute("aria-label");
  });
  roving(cells, shown, (cell) => pick(cell.parentElement.rowIndex - 1, cell.cellIndex - 1));
}

/* The diagram: zones and flows light up what they touch, and choose it. */

const graph = document.querySelector("#diagram svg");
const ends = (one) => (one.dataset.zone === undefined ? [one.dataset.from, one.dataset.to] : [one.dataset.zone]).map(Number);

function light(parts, one) {
  graph.classList.toggle("lit", Boolean(one));
  const around = one ? new Set(one.dataset.zone === undefined ? ends(one) : parts.filter((other) => ends(other).includes(ends(one)[0])).flatMap(ends)) : new Set();
  for (const other of parts) {
    const touches = other.dataset.zone === undefined ? other === one || (one?.dataset.zone !== undefined && ends(other).includes(ends(one)[0])) : around.has(ends(other)[0]);
    other.classList.toggle("on", Boolean(one) && touches);
  }
}

function diagram() {
  const parts = [...graph.querySelectorAll("[data-zone]"), ...graph.querySelectorAll("[data-from]")];
  graph.setAttribute("role", "group");
  for (const one of parts) {
    one.setAttribute("role", "button");
    one.setAttribute("aria-label", one.querySelector("title").textContent);
    const line = one.dataset.from === undefined ? null : one.querySelector("path").cloneNode();
    line?.setAttribute("class", "hit");
    if (line) one.append(line);
    for (const name of ["pointerenter", "focus"]) one.addEventListener(name, () => light(parts, one));
    for (const name of ["pointerleave", "blur"]) one.addEventListener(name, () => light(parts, parts.find((other) => other.getAttribute("aria-pressed") === "true")));
  }
  roving(parts, 1, (one) => {
    const [i, j] = ends(one);
    const pressed = one.getAttribute("aria-pressed") === "true";
    if (j === undefined) change({ zone: pressed ? "" : data.zones[i], from: "", to: "" }, true);
    else change({ from: pressed ? "" : data.zones[i], to: pressed ? "" : data.zones[j], zone: "" }, true);
  });
}

/** Everything beside the list that shows what is chosen. */
function mark() {
  drill();
  const [i, j, k] = [state.from, state.to, state.zone].map((name) => data.zones.indexOf(name));
  for (const old of at("heat").querySelectorAll("[aria-selected]")) old.removeAttribute("aria-selected");
  square(i, j)?.setAttribute("aria-selected", "true");
  const parts = [...graph.querySelectorAll("[role=button]")];
  for (const one of parts) {
    const [from, to] = ends(one);
    one.setAttribute("aria-pressed", String(to === undefined ? from === k : from === i && to === j));
  }
  light(parts, parts.find((one) => one.getAttribute("aria-pressed") === "true"));
  const chosen = state.zone || (i >= 0 && j >= 0 ? pair(state) : "");
  at("picked").replaceChildren(...(chosen ? [`${chosen}: `, make("a", { href: "#findings" }, counted(rows.length, "finding"))] : []));
}

/* Controls. */

function controls() {
  if (at("q").value !== state.q) at("q").value = state.q;
  for (const box of at("tools").querySelectorAll("[type=checkbox]")) box.checked = state[box.name].includes(box.value);
  for (const name of CHOICES) {
    const options = [...at(name).options];
    at(name).selectedIndex = Math.max(0, options.findIndex((option) => (name === "group" ? option.value : option.told ?? "") === state[name]));
  }
}

function choices() {
  const values = { rule: "rule", owner: "owner", state: "state" };
  const known = { from: data.zones, to: data.zones, zone: data.zones };
  for (const name of CHOICES.filter((one) => one !== "group")) {
    const found = known[name] ?? [...new Set(data.findings.map((one) => one[values[name]]).filter(Boolean))].sort();
    found.forEach((value, number) => {
      const option = make("option", { value: String(number) }, name === "rule" ? `${value} ${data.rules[value]?.title ?? ""}` : value);
      option.told = value;
      at(name).append(option);
    });
    at(name).closest(".field").hidden = !found.length;
    at(name).addEventListener("change", (event) => change({ [name]: event.target.selectedOptions[0].told ?? "" }));
  }
  at("group").addEventListener("change", (event) => change({ group: event.target.value }));
  at("q").addEventListener("input", (event) => change({ q: event.target.value }));
  at("tools").addEventListener("change", ({ target }) => {
    if (target.type !== "checkbox") return;
    change({ [target.name]: [...at("tools").querySelectorAll(`[name=${target.name}]:checked`)].map((box) => box.value) });
  });
}

async function copy(text, told) {
  try {
    await navigator.clipboard.writeText(text);
    const before = told.textContent;
    told.textContent = "Copied";
    setTimeout(() => { told.textContent = before; }, 1500);
  } catch { // no clipboard here: the text is shown to be taken by hand
    at("link").hidden = false;
    at("link").value = text;
    at("link").select();
  }
}

function csv() {
  const names = ["id", "verdict", "severity", "rule", "title", "from", "to", "ports", "owner", "state", "since", "row", "exception", "objects", "counts", "fix"];
  const cell = (value) => {
    const text = Array.isArray(value) ? value.join("; ") : String(value ?? "");
    return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  const lines = [names.join(","), ...rows.map((one) => names.map((name) => cell(one[name])).join(","))];
  const address = URL.createObjectURL(new Blob([`\uFEFF${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
  make("a", { href: address, download: "findings.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

function tools() {
  choices();
  for (const head of at("table").tHead.querySelectorAll("[data-sort]")) {
    const key = head.dataset.sort;
    const first = key in RANKED ? ["-", ""] : ["", "-"];
    head.replaceChildren(button(head.textContent, () => {
      const [once, twice] = first.map((sign) => sign + key);
      change({ sort: state.sort === once ? twice : state.sort === twice ? "" : once });
    }, { class: "sorter" }));
  }
  at("clear").addEventListener("click", () => { state = fresh(); change({}, true); at("q").focus(); });
  at("copy").addEventListener("click", (event) => copy(location.href.split("#")[0] + written(), event.target));
  at("csv").addEventListener("click", csv);
  at("more").addEventListener("click", () => {
    const before = limit;
    limit += PAGE;
    draw();
    at("table").querySelectorAll("tbody .opener")[before]?.focus();
  });
  const excepted = data.findings.filter((one) => one.verdict === "excepted");
  at("excepted")?.before(make("p", { class: "acts" }, button(`Show ${counted(excepted.length, "excepted finding")} in the list`, () => {
    state = fresh();
    change({ verdict: ["excepted"] }, true);
    at("shown").scrollIntoView();
  })));
  at("tools").hidden = false;
  at("rest").hidden = true;
}

/** On paper everything that is chosen is in full: the rows, and the cards that the page holds. */
function paper(printing) {
  if (!at("table")) return;
  list(printing ? PRINTED : limit);
  const kept = new Set(rows.map((one) => `f-${one.id}`));
  for (const one of at("cards").children) one.hidden = printing && one.id !== "" && !kept.has(one.id);
}

function arrive() {
  const wanted = asked();
  if (!wanted) return;
  state = wanted;
  limit = PAGE;
  if (state.open) reveal();
  else draw();
}

document.documentElement.classList.add("scripted");
matrix();
diagram();
if (at("table")) tools();
for (const one of document.querySelectorAll("main pre")) if (!one.closest(".card")) one.replaceWith(pre(one.textContent));
draw();
arrive();
for (const one of document.querySelectorAll(".scroll, pre, figure")) { // what scrolls, the keyboard must reach
  if (one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight) one.tabIndex = 0;
}
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#f-"]');
  if (!link || !byId.has(link.hash.slice(3)) || !at("table")) return;
  event.preventDefault();
  go({ open: link.hash.slice(3) });
});
addEventListener("hashchange", arrive);
addEventListener("popstate", arrive);
addEventListener("beforeprint", () => paper(true));
addEventListener("afterprint", () => paper(false));
})();
