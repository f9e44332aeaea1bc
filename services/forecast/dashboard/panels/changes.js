// What changed in the open pipeline since Monday: legs that lead from then to now.
import { make, replaceRows } from "../lib/dom.js";
import { day, isBelowZero, money, signed } from "../lib/format.js";
import { say } from "../lib/say.js";
import { movesTable } from "../lib/tables.js";

export default {
  id: "changes",
  title: (answer) =>
    (answer ? say("page.changes.title-of", { day: day(answer.since_day) }) : say("page.changes.title")),
  lays: () => [make("table", {}, make("tbody"))],
  asks: ({ period }) => ["/v1/pipeline-changes", { period }],
  draws: (section, answer, page) => {
    const legs = answer.legs.filter((leg) => leg.count || Number(leg.amount.amount));
    const between = legs.length ? legs.map((leg) => row(leg, page)) : [nothing()];
    const then = edge(say("page.changes.then"), answer.start), now = edge(say("page.changes.now"), answer.end);
    replaceRows(section.querySelector("tbody"), [then, ...between, now]);
  },
  redrawsOn: [
    "deals.deal-opened", "deals.deal-amount-changed", "deals.deal-close-date-changed", "deals.deal-handed-over",
    "deals.deal-won", "deals.deal-lost", "deals.deal-abandoned", "deals.deal-reopened", "deals.deal-fact-retracted",
    "deals.exchange-rates-published", "deals.exchange-rate-fact-retracted",
  ],
};

const named = (name, { count }) =>
  make("td", {}, name, make("span", { class: "count" }, say("page.deals", { count })));
const edge = (name, part) => make("tr", { class: "edge" }, named(name, part), make("td", {}, money(part.amount)));
const nothing = () => make("tr", {}, make("td", { class: "empty", colspan: 2 }, say("page.changes.none")));

function row(leg, page) {
  const question = { period: page.asked().period, leg: leg.leg };
  const name = say("page.changes.leg", { leg: leg.title });
  const open = () => page.drill(name, "/v1/pipeline-changes/deals", question, movesTable);
  const tone = isBelowZero(leg.amount) ? "minus" : "plus";
  return make("tr", { "data-leg": leg.leg },
    named(leg.title, leg),
    make("td", {}, make("button", { class: `figure ${tone}`, onclick: open }, signed(leg.amount))));
}
