// The head of the page: who looks, what is asked, whether the line is up, and what is to be said of all figures.
import { language, languages } from "../words.js";
import { asked, inLanguage, opening, setAsked } from "./address.js";
import { get } from "./api.js";
import { make } from "./dom.js";
import { day, periodLabel } from "./format.js";
import { say } from "./say.js";

const PERIODS_BACK = 8;

const $ = (selector) => document.querySelector(selector);

export function notice(text) {
  $("#notice").hidden = !text;
  $("#notice").textContent = text ?? "";
}

export function sayLive(isLive) {
  $("#live").className = isLive ? "on" : "off";
  $("#live .text").textContent = say(isLive ? "page.live.on" : "page.live.off");
}

// Fills the head, and calls `changed` whenever something else is asked.
export async function start(changed) {
  const me = await get("/v1/me");
  let horizon = await get("/v1/horizon");
  const form = $("#ask");
  const unasked = correct(horizon);

  function show() {
    for (const [name, value] of Object.entries(asked())) form.elements[name].value = value;
    form.elements.as_of.max = horizon.today;
    form.elements.as_of.classList.toggle("blank", !asked().as_of);
    $("#now").hidden = !asked().as_of;
    notice(told(horizon));
  }

  function ask(changes) {
    setAsked(changes);
    show();
    changed();
  }

  async function askOfDay(value) {
    horizon = await get("/v1/horizon");
    if (!isToCome(value, horizon)) return ask({ as_of: value });
    show();
    notice(say("page.notice.to-come"));
  }

  $("#who .name").textContent = `${me.name}, ${me.title}`;
  const running = option("", say("page.ask.running-quarter")), all = option("", say("page.ask.all-teams"));
  form.elements.period.replaceChildren(running, ...periods(horizon).map(periodOption));
  form.elements.team.replaceChildren(all, ...me.teams.map((team) => option(team.id, team.name)));
  form.elements.language.replaceChildren(...Object.entries(languages).map(languageOption));
  form.elements.language.value = language;
  $(".brand").href = opening();
  form.addEventListener("change", ({ target: { name, value } }) => {
    if (name === "as_of") askOfDay(value);
    else if (name === "language") location.assign(inLanguage(value));
    else ask({ [name]: value });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  $("#now").addEventListener("click", () => ask({ as_of: "" }));
  addEventListener("popstate", () => { show(); changed(); });
  show();
  if (unasked) notice(`${unasked} ${say("page.notice.figures-of-now")}`);
}

// An address may ask for what cannot be asked, and history that ended long ago is better seen at its end.
function correct(horizon) {
  const given = asked().as_of;
  const unasked = isNone(given) ? say("page.notice.no-day")
    : isToCome(given, horizon) ? say("page.notice.to-come") : null;
  if (unasked) setAsked({ as_of: "" }, { isStep: false });
  if (horizon.behind && !asked().as_of) setAsked({ as_of: horizon.newest }, { isStep: false });
  return unasked;
}

// Of a day after today, as the company clock has it, nothing is known yet.
const isToCome = (at, horizon) => Boolean(at) && at.slice(0, 10) > horizon.today;
const isNone = (at) => Boolean(at) && Number.isNaN(Date.parse(at));

// What is to be said of the day that is asked about.
function told(horizon) {
  const at = asked().as_of;
  if (!horizon.newest) return say("page.notice.nothing-yet");
  if (!at) return null;
  if (horizon.behind && at === horizon.newest) return say("page.notice.newest", { day: day(at) });
  return say("page.notice.as-of", { day: day(at.slice(0, 10)) });
}

const option = (value, text) => make("option", { value }, text);
const languageOption = ([tag, name]) => make("option", { value: tag, lang: tag }, name);
const periodOption = ({ name, first, last }) => option(name, periodLabel(name, first, last));

// The quarters around the newest fact, the latest first, and its year.
function periods(horizon) {
  const newest = horizon.newest ?? horizon.today;
  const [quarters, years] = [/-Q/, /^\d+$/].map((kind) => horizon.periods.filter(({ name }) => kind.test(name)));
  const running = quarters.findIndex(({ first, last }) => first <= newest && newest <= last);
  const year = years.find(({ first, last }) => first <= newest && newest <= last);
  return [...quarters.slice(Math.max(running - 1, 0), Math.max(running, 0) + PERIODS_BACK), ...(year ? [year] : [])];
}
