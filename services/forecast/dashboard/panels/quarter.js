// The quarter: what is won and expected of it against its target, and how fast.
import { fill, leftOut, make, tellLeftOut } from "../lib/dom.js";
import { money, periodName, share, shortMoney, times } from "../lib/format.js";
import { say } from "../lib/say.js";
import { dealsTable } from "../lib/tables.js";

const ENOUGH_COVERAGE = 2;

export default {
  id: "quarter",
  title: (answer) => (answer
    ? say("page.quarter.title-of", { period: periodName(answer.period), share: share(answer.elapsed) })
    : say("page.quarter.title")),
  lays: (page) => {
    const body = skeleton();
    linkDrills(body, null, page);
    return body;
  },
  asks: ({ period }) => ["/v1/forecast", { period }],
  draws: (section, answer, page) => {
    drawFigures(section, answer);
    drawTrack(section, answer);
    drawUndated(section, answer);
    tellLeftOut(section, answer);
    linkDrills([section], answer, page);
  },
  redrawsOn: [
    "deals.deal-opened", "deals.deal-moved", "deals.deal-amount-changed", "deals.deal-close-date-changed",
    "deals.deal-handed-over", "deals.deal-won", "deals.deal-lost", "deals.deal-abandoned", "deals.deal-reopened",
    "deals.deal-fact-retracted", "deals.deal-migrated", "deals.target-set", "deals.target-fact-retracted",
    "deals.exchange-rates-published", "deals.exchange-rate-fact-retracted",
  ],
};

function skeleton() {
  const button = (name) => make("button", { class: "figure", "data-drill": name, "data-bind": name }, "–");
  const still = make("span", { class: "figure still", "data-bind": "target" }, "–");
  const figure = (name, element) => make("div", {}, make("dt", {}, name), make("dd", {}, element));
  const bar = (name) => make("span", { class: name });
  const key = (name, text) => make("span", { class: `key ${name}` }, text);
  return [
    make("div", { class: "attained" },
      make("button", { class: "figure big", "data-drill": "attainment" },
        make("span", { class: "value", "data-bind": "attainment" }, "–")),
      make("p", { class: "caption", "data-bind": "attainment-words" })),
    make("div", { class: "track", "aria-hidden": "true" }, ...["won", "weighted", "goal", "elapsed"].map(bar)),
    make("dl", { class: "figures" },
      figure(say("page.quarter.won"), button("won")), figure(say("page.quarter.target"), still),
      figure(say("page.quarter.expected"), button("expected")), figure(say("page.quarter.gap"), button("gap")),
      figure(say("page.quarter.coverage"), button("coverage"))),
    make("p", { class: "legend", "aria-hidden": "true" },
      key("won", say("page.quarter.legend.won")), key("weighted", say("page.quarter.legend.weighted")),
      key("elapsed", say("page.quarter.legend.elapsed")), key("goal", say("page.quarter.legend.goal"))),
    make("p", { class: "undated" }),
    leftOut(),
  ];
}

// Open deals without an expected close are in no quarter: whoever looks at this one has to know of them.
function drawUndated(section, { undated: { count, amount } }) {
  const text = say("page.quarter.undated", { count, amount: shortMoney(amount) });
  const button = make("button", { class: "link", "data-drill": "undated", title: money(amount) }, text);
  section.querySelector(".undated").replaceChildren(...(count ? [button] : []));
}

function drawFigures(section, answer) {
  const { attainment, coverage, expected, gap, open, target, won } = answer;
  const bind = (name, text, exact, tone) => {
    const element = section.querySelector(`[data-bind=${name}]`);
    element.textContent = text;
    element.title = exact ? money(exact) : "";
    for (const each of ["good", "bad"]) element.classList.toggle(each, each === tone);
  };
  const isClosed = gap && Number(gap.amount) <= 0;
  bind("attainment", attainment === null ? shortMoney(won) : share(attainment), won);
  section.querySelector("[data-bind=attainment-words]").textContent = target ? course(answer) : noTarget(answer);
  bind("won", shortMoney(won), won);
  bind("target", target ? shortMoney(target) : say("page.quarter.no-target"), target);
  bind("expected", shortMoney(expected), expected);
  if (gap) bind("gap", isClosed ? say("page.quarter.gap-closed") : shortMoney(gap), gap, isClosed ? "good" : "bad");
  else bind("gap", "–", null);
  if (coverage === null) bind("coverage", "–", open);
  else bind("coverage", times(coverage), open, Number(coverage) >= ENOUGH_COVERAGE ? "good" : "bad");
}

function drawTrack(section, { elapsed, expected, target, weighted, won }) {
  const goal = Number(target?.amount ?? 0);
  const whole = Math.max(goal, Number(expected.amount), 1);
  const parts = { won: Number(won.amount), weighted: Number(weighted.amount), goal, elapsed: Number(elapsed) * goal };
  for (const [name, part] of Object.entries(parts)) fill(section.querySelector(`.track .${name}`), part / whole);
}

// Where the period stands against its pace, and what it comes to with its open deals; the two may point different ways.
function course({ attainment, elapsed, expected, target }) {
  const end = Number(expected.amount) / Number(target.amount);
  const isAhead = Number(attainment) >= Number(elapsed), isReached = end >= 1;
  const said = isAhead ? (isReached ? "page.quarter.ahead-reached" : "page.quarter.ahead-missed")
    : (isReached ? "page.quarter.behind-reached" : "page.quarter.behind-missed");
  return say(said, { target: shortMoney(target), share: share(end) });
}

const noTarget = ({ period, target_missing: missing }) =>
  say("page.quarter.target-missing", { periods: (missing.length ? missing : [period]).map(periodName).join(", ") });

// The deals behind each figure, and what they say about it.
const DRILLS = {
  attainment: {
    figure: "won",
    title: (period) => say("page.quarter.deals.attainment", { period }),
    told: ({ attainment, target }) => (target
      ? say("page.quarter.told.attainment", { share: share(attainment), target: money(target) }) : ""),
  },
  won: { figure: "won", title: (period) => say("page.quarter.deals.won", { period }), told: () => "" },
  expected: {
    figure: "expected",
    title: (period) => say("page.quarter.deals.expected", { period }),
    told: () => say("page.quarter.told.expected"),
  },
  gap: {
    figure: "won",
    title: () => say("page.quarter.deals.gap"),
    told: ({ gap, target }) => (gap
      ? say("page.quarter.told.gap", { target: money(target), gap: money(gap) }) : ""),
  },
  undated: {
    figure: "undated",
    title: () => say("page.quarter.deals.undated"),
    told: () => say("page.quarter.told.undated"),
  },
  coverage: {
    figure: "open",
    title: (period) => say("page.quarter.deals.coverage", { period }),
    told: ({ coverage, gap }) => (coverage
      ? say("page.quarter.told.coverage", { times: times(coverage), gap: money(gap) }) : ""),
  },
};

function linkDrills(elements, answer, page) {
  for (const button of elements.flatMap((element) => [...element.querySelectorAll("[data-drill]")])) {
    const { figure, title, told } = DRILLS[button.dataset.drill];
    const table = dealsTable({ isExpected: figure === "expected", told: answer ? told(answer) : "" });
    const name = title(answer ? periodName(answer.period) : say("page.quarter.running"));
    button.onclick = () => page.drill(name, "/v1/forecast/deals", { period: page.asked().period, figure }, table);
  }
}
