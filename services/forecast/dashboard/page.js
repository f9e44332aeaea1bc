// The manager's page. The address holds what is asked (period, team, as_of); every panel is one question to /v1.
import { count, day, days, happened, money, shortMoney, share, signed, time, words } from "/dashboard/format.js";

const $ = (selector, within = document) => within.querySelector(selector);
const RECONNECT_MS = 2000;
const EVENT_QUIET_MS = 120;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// -- asking -----------------------------------------------------------------------------------------------------------

const asked = () => new URLSearchParams(location.search);

const ABOUT_ALL = new Set(["/v1/me", "/v1/horizon"]);

async function get(path, parameters = {}) {
  const query = new URLSearchParams();
  const common = asked();
  if (!ABOUT_ALL.has(path)) for (const name of ["team", "as_of"]) if (common.get(name)) query.set(name, common.get(name));
  for (const [name, value] of Object.entries(parameters)) if (value !== null && value !== undefined && value !== "") query.set(name, value);
  const response = await fetch(`${path}?${query}`, { headers: { Accept: "application/json" } });
  if (response.status === 401) { location.assign("/identity/sign-in"); return new Promise(() => {}); }
  const body = await response.json();
  if (!response.ok) throw new Error(body.errors?.[0]?.message || body.detail || body.title || response.statusText);
  return body;
}

const period = () => asked().get("period");

function ask(changes) {
  const next = asked();
  for (const [name, value] of Object.entries(changes)) { if (value) next.set(name, value); else next.delete(name); }
  history.pushState(null, "", next.size ? `?${next}` : location.pathname);
  showAsked();
  refresh();
}

// -- the panels -------------------------------------------------------------------------------------------------------

let outlook = null;
async function drawQuarter() {
  outlook = await get("/v1/forecast", { period: period() });
  const target = outlook.target, gap = outlook.gap;
  $("#quarter-title").textContent = `${named(outlook.period)}, ${share(outlook.elapsed)} gone`;
  bind("attainment", outlook.attainment === null ? shortMoney(outlook.won) : share(outlook.attainment), outlook.won);
  $("[data-bind=attainment-words]").textContent = target ? `attained of ${shortMoney(target)}; ${course(outlook)}` : `won; no target is set for ${(outlook.target_missing.length ? outlook.target_missing : [outlook.period]).map(named).join(", ")}`;
  bind("won", shortMoney(outlook.won), outlook.won);
  bind("target", target ? shortMoney(target) : "none", target);
  bind("expected", shortMoney(outlook.expected), outlook.expected);
  const done = gap && Number(gap.amount) <= 0;
  bind("gap", gap ? (done ? "closed" : shortMoney(gap)) : "–", gap, done ? "good" : gap ? "bad" : "");
  const cover = outlook.coverage === null ? null : Number(outlook.coverage);
  bind("coverage", cover === null ? "–" : `${cover.toFixed(1)} ×`, outlook.open, cover === null ? "" : cover >= 2 ? "good" : "bad");
  const whole = Math.max(Number(target?.amount ?? 0), Number(outlook.expected.amount), 1);
  fill("#quarter .track .won", Number(outlook.won.amount) / whole);
  fill("#quarter .track .weighted", Number(outlook.weighted.amount) / whole);
  fill("#quarter .track .goal", Number(target?.amount ?? 0) / whole);
  fill("#quarter .track .elapsed", (Number(outlook.elapsed) * Number(target?.amount ?? 0)) / whole);
}

// The deals behind each figure of the quarter, and what they say about it.
const BEHIND = {
  attainment: { figure: "won", title: (period) => `Attained: won in ${period}`, told: () => (outlook.target ? `${share(outlook.attainment)} of ${money(outlook.target)}` : "") },
  won: { figure: "won", title: (period) => `Won in ${period}` },
  expected: { figure: "expected", title: (period) => `Expected in ${period}`, told: () => "won at full value, open at amount × probability" },
  gap: { figure: "won", title: () => "Gap: the target less what is won", told: () => (outlook.gap ? `${money(outlook.target)} less that leaves ${money(outlook.gap)}` : "") },
  coverage: { figure: "open", title: (period) => `Coverage: open deals due in ${period}`, told: () => (outlook.coverage ? `${Number(outlook.coverage).toFixed(1)} × the gap of ${money(outlook.gap)}` : "") },
};

// Where the period stands against its pace, and what it comes to with its open deals; the two may point different ways.
function course(outlook) {
  const end = Number(outlook.expected.amount) / Number(outlook.target.amount);
  const ahead = Number(outlook.attainment) >= Number(outlook.elapsed), reached = end >= 1;
  const pace = ahead ? "won faster than the days pass" : "won slower than the days pass";
  return `${pace}, ${ahead === reached ? "and" : "but"} with the open deals ${share(end)} is expected`;
}

// A period as everybody reads it, wherever it stands: 2026 Q4.
const named = (period) => period.replace("-", " ");

function bind(name, text, exact, tone = "") {
  const element = $(`[data-bind=${name}]`);
  element.textContent = text;
  element.title = exact ? money(exact) : "";
  element.classList.remove("good", "bad");
  if (tone) element.classList.add(tone);
}

const fill = (selector, part) => ($(selector).style.setProperty("--share", `${Math.min(Math.max(part, 0), 1) * 100}%`));

async function drawDangers() {
  const answer = await get("/v1/endangered-deals", { period: period(), limit: 5 });
  const why = (deal) => deal.reasons.map((reason) => reason.sentence).join(" ");
  const rows = answer.deals.map((deal) =>
    make("li", { "data-deal": deal.id },
      make("button", { class: "link", onclick: () => showHistory(deal.id, deal.name) }, deal.name),
      make("span", { class: "amount", title: money(deal.amount) }, shortMoney(deal.amount)),
      make("p", {},
        make("span", { class: "meta" }, [deal.owner_name, deal.expected_close && day(deal.expected_close)].filter(Boolean).join(" · ")),
        make("span", { class: "why" }, why(deal)))));
  replace("#dangers ol", rows, "No open deal of this period is in danger.");
}

async function drawChanges() {
  const parameters = { period: period() };
  const answer = await get("/v1/pipeline-changes", parameters);
  $("#changes-title").textContent = `What changed since Monday, ${day(answer.since_day)}`;
  const legs = answer.legs.filter((leg) => leg.count);
  const open = (leg) => drill(`Pipeline: ${words(leg.leg)}`, "/v1/pipeline-changes/deals", { ...parameters, leg: leg.leg }, showMoves);
  const rows = [
    edge("Open pipeline then", answer.start),
    ...legs.map((leg) => make("tr", { "data-leg": leg.leg },
      make("td", {}, words(leg.leg), make("span", { class: "count" }, count(leg.count, "deal"))),
      make("td", {}, make("button", { class: `figure ${leg.amount.amount.startsWith("-") ? "minus" : "plus"}`, onclick: () => open(leg) }, signed(leg.amount))))),
    edge("Open pipeline now", answer.end),
  ];
  replace("#changes tbody", rows, "");
  if (!legs.length) $("#changes tbody").children[0].after(make("tr", {}, make("td", { class: "empty", colspan: 2 }, "Nothing changed.")));
}

const edge = (name, part) => make("tr", { class: "edge" },
  make("td", {}, name, make("span", { class: "count" }, count(part.count, "deal"))), make("td", {}, money(part.amount)));

async function drawFunnel() {
  const answer = await get("/v1/funnel");
  const largest = Math.max(1, ...answer.stages.map((stage) => Number(stage.amount.amount)));
  // The process is said where there are several: their stages may have the same names.
  const several = new Set(answer.stages.map((stage) => `${stage.process_id} ${stage.process_version}`)).size > 1;
  const rows = answer.stages.map((stage) => {
    const name = several ? `${stage.name}, ${stage.process_name ?? "process"} ${stage.process_version}` : stage.name;
    const { process_id, process_version } = stage;
    const whole = make("span"), weighted = make("span");
    whole.style.setProperty("--share", `${(Number(stage.amount.amount) / largest) * 100}%`);
    weighted.style.setProperty("--share", `${(Number(stage.weighted.amount) / largest) * 100}%`);
    const open = () => drill(name, "/v1/funnel/deals", { process_id, process_version, stage: stage.stage });
    return make("li", { "data-stage": stage.stage, "data-process": `${process_id} ${process_version}` },
      make("span", {}, name, make("span", { class: "count" }, ` ${stage.count}`)),
      make("span", { class: "bar", title: `${money(stage.amount)}, weighted ${money(stage.weighted)}` }, whole, weighted),
      make("button", { class: "figure", title: money(stage.amount), onclick: open }, shortMoney(stage.amount)));
  });
  replace("#funnel ol", rows, "No stage yet: publish a process, or import your history.");
  const closed = answer.closed;
  const outcome = (name) => make("span", { "data-outcome": name }, make("button", { class: "link", onclick: () => drill(words(name), "/v1/funnel/deals", { outcome: name }) },
    `${words(name)} ${closed[name].count}`), ` ${shortMoney(closed[name].amount)}`);
  const cycle = closed.won.cycle_days;
  $("#funnel .legend").textContent = rows.length ? "Strong: weighted by the stage's probability of winning. Pale: in full." : "";
  const took = make("span", {}, cycle.n ? `${days(cycle.mean)} from first interest to win` : "");
  replace("#funnel .closed", [make("span", {}, "So far:"), outcome("won"), outcome("lost"), outcome("abandoned"), took], "");
}

// What a metric counts, so that nobody takes it for its neighbour.
const COUNTED = {
  "sales-cycle": "from first interest to win, deals won in 90 days",
  "lead-conversion": "leads of 90 days that became deals",
  "win-rate": "won, of all deals opened in 90 days",
  "revenue-attainment": "invoiced in the running quarter, against its target so far",
  "node-completion": "required tasks due in 90 days, done",
  "stalled-share": "open deals silent for longer than allowed, and without a next step",
  "overdue-share": "of what customers owe, past its due date",
};

async function drawHealth() {
  const answer = await get("/v1/health-metrics");
  const show = (metric, value) => (value === null ? "–" : metric.unit === "days" ? days(value) : share(value));
  const rows = answer.metrics.map((metric) => {
    const sign = metric.more_is_better ? "≥" : "≤", other = metric.more_is_better ? "<" : ">";
    const arrow = { improving: "▲ better", worsening: "▼ worse", steady: "steady", unknown: "" }[metric.trend];
    return make("li", { class: metric.state, "data-metric": metric.metric },
      make("div", { class: "top" }, make("span", {}, metric.name), make("span", { class: "chip" }, words(metric.state))),
      make("div", { class: "top" },
        make("span", { class: "value" }, show(metric, metric.value)),
        make("span", { class: "limits" }, [arrow, `n = ${metric.n}`].filter(Boolean).join(", "))),
      make("p", { class: "limits" }, metric.basis === "bookings" ? "booked in the running quarter, against its target so far" : COUNTED[metric.metric]),
      make("p", { class: "limits" }, `healthy ${sign} ${show(metric, metric.healthy)}, alert ${other} ${show(metric, metric.alert)}`),
      metric.state === "healthy" || metric.state === "no-data" ? null : make("p", { class: "hint" }, metric.hint));
  });
  replace("#health ul", rows, "");
}

const SHOWN_EVENTS = 12, OF_NO_INTEREST = new Set(["leads.turn-taken"]);
let newestSeen = 0;
async function drawEvents() {
  const answer = await get("/v1/newest-events", { limit: 40 });
  const events = answer.events.filter((entry) => !OF_NO_INTEREST.has(entry.type)).slice(0, SHOWN_EVENTS);
  const rows = events.map((entry) => make("li", { class: newestSeen && entry.position > newestSeen ? "fresh" : null },
    make("time", { datetime: entry.occurred_at }, time(entry.occurred_at)),
    make("span", { class: "what" }, happened(entry.type), entry.name ? make("b", {}, entry.name) : null,
      entry.amount ? make("span", {}, shortMoney({ amount: entry.amount, currency: answer.currency })) : null),
    make("span", { class: "by" }, entry.actor_name ?? "")));
  newestSeen = Math.max(newestSeen, ...answer.events.map((entry) => entry.position), 0);
  replace("#events ol", rows, "Nothing has happened yet.");
}

// Where the button stands that has the focus, so that the one drawn in its place can have it.
function placeOf(element) {
  const row = element?.closest("[data-deal], [data-stage], [data-leg], [data-outcome]");
  if (!row) return null;
  const marks = Object.entries(row.dataset).map(([name, value]) => `[data-${name}="${CSS.escape(value)}"]`).join("");
  return `#${row.closest("section").id} ${marks} button`;
}

function replace(selector, rows, empty) {
  const list = $(selector);
  const held = list.contains(document.activeElement) ? placeOf(document.activeElement) : null;
  list.replaceChildren(...(rows.length ? rows : [make("li", { class: "empty" }, empty)]));
  if (held) $(held)?.focus({ preventScroll: true });
}

// -- drilling down ----------------------------------------------------------------------------------------------------

async function drill(title, path, parameters, show = showDeals, about = parameters) {
  $("#drill-title").textContent = title;
  $("#drill .sum").textContent = "…";
  $("#drill thead").replaceChildren();
  $("#drill tbody").replaceChildren();
  $("#drill .more").replaceChildren();
  if (!$("#drill").open) {
    const opener = document.activeElement, held = placeOf(opener);
    $("#drill").addEventListener("close", () => { if (held && !opener.isConnected) $(held)?.focus(); }, { once: true });
    $("#drill").showModal();
  }
  const told = { title };
  $("#drill").told = told;
  await further(told, path, parameters, show, about);
}

// One page of the rows; the button asks for the next. An answer that comes after another figure was opened is dropped.
async function further(told, path, parameters, show, about) {
  $("#drill .more").replaceChildren();
  try {
    const answer = await get(path, parameters);
    if ($("#drill").told !== told) return;
    show(answer, about);
    if (!answer.next) return;
    const more = make("button", { class: "link", type: "button", onclick: () => further(told, path, { ...parameters, cursor: answer.next }, show, about) }, "Show more");
    $("#drill .more").replaceChildren(more);
  } catch (error) { if ($("#drill").told === told) $("#drill .sum").textContent = error.message; }
}

function heads(...names) {
  $("#drill thead").replaceChildren(make("tr", {}, ...names.map((name) => make("th", { scope: "col", class: name.startsWith("#") ? "number" : null }, name.replace("#", "")))));
}

function showDeals(answer, parameters) {
  const expected = parameters.figure === "expected", told = parameters.told?.();
  const value = (deal) => (expected && deal.outcome === "open" ? deal.weighted : deal.amount);
  heads("Deal", "Stage", "Closes", expected ? "#Counts with" : "#Amount");
  const sum = expected ? answer.expected : answer.amount;
  $("#drill .sum").textContent = `${count(answer.count, "deal")}, ${money(sum)}${told ? `: ${told}` : ""}`;
  $("#drill tbody").append(...answer.deals.map((deal) => make("tr", { "data-amount": value(deal).amount },
    make("td", {}, make("button", { class: "link", onclick: () => showHistory(deal.id, deal.name) }, deal.name)),
    make("td", {}, deal.outcome === "open" ? words(deal.stage) : words(deal.outcome)),
    make("td", {}, deal.closed_on ?? deal.expected_close ?? ""),
    make("td", { class: "number" }, money(value(deal))))));
}

function showMoves(answer) {
  heads("Deal", "#Before", "#After", "#Change");
  $("#drill .sum").textContent = `${count(answer.count, "deal")}, ${signed(answer.amount)}`;
  $("#drill tbody").append(...answer.deals.map((move) => make("tr", { "data-amount": move.amount.amount },
    make("td", {}, make("button", { class: "link", onclick: () => showHistory(move.id, move.name) }, move.name)),
    make("td", { class: "number" }, move.before ? money(move.before) : ""),
    make("td", { class: "number" }, move.after ? money(move.after) : ""),
    make("td", { class: "number" }, signed(move.amount)))));
}

function showHistory(id, name) {
  drill(name, `/v1/deal-histories/${id}`, {}, (answer) => {
    heads("When", "What", "By", "Before → after");
    $("#drill .sum").textContent = count(answer.count, "event");
    $("#drill tbody").append(...answer.entries.map((entry) => make("tr", {},
      make("td", {}, time(entry.occurred_at)),
      make("td", {}, happened(entry.type) + (entry.imported ? " (imported)" : "")),
      make("td", {}, entry.actor_name ?? entry.actor),
      make("td", {}, entry.changes.filter((change) => !["owner", "team"].includes(change.field))
        .map((change) => `${words(change.field)}: ${change.before ?? "–"} → ${change.after ?? "–"}`).join("; ")))));
  });
}

// -- keeping it moving ------------------------------------------------------------------------------------------------

const panels = [drawQuarter, drawDangers, drawChanges, drawFunnel, drawHealth, drawEvents];
let running = null, again = false;

async function refresh() {
  if (running) { again = true; return; }
  running = Promise.allSettled(panels.map((draw) => draw()));
  const failed = (await running).find((result) => result.status === "rejected");
  running = null;
  if (failed) notice(`Some figures could not be read: ${failed.reason.message}`); else showHorizon();
  document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1);
  if (again) { again = false; refresh(); }
}

let pending = null, missed = false;
function follow() {
  const source = new EventSource("/v1/stream");
  const live = $("#live");
  const say = (state, text) => { live.className = state; $(".text", live).textContent = text; };
  source.onopen = () => { say("on", "live"); if (missed) { missed = false; refresh(); } };
  source.onmessage = () => { pending ??= setTimeout(() => { pending = null; refresh(); }, EVENT_QUIET_MS); };
  source.onerror = () => {
    say("off", "reconnecting");
    // The browser connects again by itself after a broken line, but never after an answer other than 200: the session
    // has ended, or the service starts.
    if (source.readyState === EventSource.CLOSED) { missed = true; setTimeout(followAgain, RECONNECT_MS); }
  };
}

// Asking goes to the sign-in once the session has ended.
const followAgain = () => get("/v1/me").then(follow, () => setTimeout(followAgain, RECONNECT_MS));

function notice(text) { $("#notice").hidden = !text; $("#notice").textContent = text ?? ""; }

// Of a day after today, as the company clock has it, nothing is known yet.
const TO_COME = "That day is still to come.";
const isToCome = (at) => Boolean(at) && at.slice(0, 10) > horizon.today;
const isNone = (at) => Boolean(at) && Number.isNaN(Date.parse(at));

let horizon = null;
function showHorizon() {
  const at = asked().get("as_of");
  if (!horizon?.newest) return notice("There is nothing here yet. Capture a lead, open a deal, or import your history: throughline import.");
  if (at) return notice(horizon.behind && at === horizon.newest ? `The newest fact is of ${day(horizon.newest)}; this is the end of that day.` : `You are looking at the end of ${day(at.slice(0, 10))}, as it is known now.`);
  return notice(null);
}

function periods(newest) {
  const end = new Date(`${newest}T00:00:00Z`), names = [];
  for (let back = -1; back < 8; back += 1) {
    const month = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() - back * 3, 1));
    names.push(`${month.getUTCFullYear()}-Q${Math.floor(month.getUTCMonth() / 3) + 1}`);
  }
  return [...new Set([...names, String(end.getUTCFullYear())])];
}

function showAsked() {
  const form = $("#ask");
  for (const name of ["period", "team", "as_of"]) form.elements[name].value = asked().get(name) ?? "";
  $("#now").hidden = !asked().get("as_of");
  form.elements.as_of.classList.toggle("blank", !asked().get("as_of"));
}

async function start() {
  const me = await get("/v1/me");
  horizon = await get("/v1/horizon");
  const given = asked().get("as_of"), unasked = isNone(given) ? "That is no day." : isToCome(given) ? TO_COME : null;
  if (unasked) history.replaceState(null, "", `?${new URLSearchParams([...asked()].filter(([name]) => name !== "as_of"))}`);
  if (horizon.behind && !asked().get("as_of")) history.replaceState(null, "", `?${new URLSearchParams([...asked(), ["as_of", horizon.newest]])}`);
  $("#who .name").textContent = `${me.name}, ${words(me.roles[0] ?? "")}`;
  const form = $("#ask");
  const option = (value, text) => make("option", { value }, text);
  form.elements.period.replaceChildren(option("", "running quarter"), ...periods(horizon.newest ?? horizon.today).map((name) => option(name, named(name))));
  form.elements.team.replaceChildren(option("", "all I see"), ...me.teams.map((team) => option(team.id, team.name)));
  form.elements.as_of.max = horizon.today;
  form.addEventListener("change", async (event) => {
    const { name, value } = event.target;
    if (name !== "as_of") return ask({ [name]: value });
    horizon = await get("/v1/horizon");
    form.elements.as_of.max = horizon.today;
    if (!isToCome(value)) return ask({ as_of: value });
    showAsked();
    notice(TO_COME);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  $("#now").addEventListener("click", () => ask({ as_of: "" }));
  for (const button of document.querySelectorAll("[data-drill]")) {
    const { title, figure, told } = BEHIND[button.dataset.drill];
    button.addEventListener("click", () => drill(title(outlook ? named(outlook.period) : "the running quarter"), "/v1/forecast/deals", { period: period(), figure }, showDeals, { figure, told }));
  }
  addEventListener("popstate", () => { showAsked(); refresh(); });
  showAsked();
  follow();
  await refresh();
  if (unasked) notice(`${unasked} These are the figures of now.`);
}

start().catch((error) => notice(`This page could not start: ${error.message}`));
