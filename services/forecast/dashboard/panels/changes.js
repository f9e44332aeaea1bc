// What changed in the open pipeline since Monday: legs that lead from then to now.
import { make, replaceRows } from "../lib/dom.js";
import { count, day, isBelowZero, money, signed } from "../lib/format.js";
import { movesTable } from "../lib/tables.js";

export default {
  id: "changes",
  title: (answer) => `What changed since Monday${answer ? `, ${day(answer.since_day)}` : ""}`,
  lays: () => [make("table", {}, make("tbody"))],
  asks: ({ period }) => ["/v1/pipeline-changes", { period }],
  draws: (section, answer, page) => {
    const legs = answer.legs.filter((leg) => leg.count || Number(leg.amount.amount));
    const between = legs.length ? legs.map((leg) => row(leg, page)) : [nothing()];
    const rows = [edge("Open pipeline then", answer.start), ...between, edge("Open pipeline now", answer.end)];
    replaceRows(section.querySelector("tbody"), rows);
  },
  redrawsOn: [
    "deals.deal-opened", "deals.deal-amount-changed", "deals.deal-close-date-changed", "deals.deal-handed-over",
    "deals.deal-won", "deals.deal-lost", "deals.deal-abandoned", "deals.deal-reopened", "deals.deal-fact-retracted",
    "deals.exchange-rates-published", "deals.exchange-rate-fact-retracted",
  ],
};

const named = (name, part) => make("td", {}, name, make("span", { class: "count" }, count(part.count, "deal")));
const edge = (name, part) => make("tr", { class: "edge" }, named(name, part), make("td", {}, money(part.amount)));
const nothing = () => make("tr", {}, make("td", { class: "empty", colspan: 2 }, "Nothing changed."));

function row(leg, page) {
  const question = { period: page.asked().period, leg: leg.leg };
  const open = () => page.drill(`Pipeline: ${leg.title}`, "/v1/pipeline-changes/deals", question, movesTable);
  const tone = isBelowZero(leg.amount) ? "minus" : "plus";
  return make("tr", { "data-leg": leg.leg },
    named(leg.title, leg),
    make("td", {}, make("button", { class: `figure ${tone}`, onclick: open }, signed(leg.amount))));
}
