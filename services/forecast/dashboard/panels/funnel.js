// The funnel: the open pipeline by stage, and what was closed so far.
import { fill, leftOut, make, replaceRows, tellLeftOut } from "../lib/dom.js";
import { count, money, shortMoney } from "../lib/format.js";
import { say } from "../lib/say.js";
import { naming } from "../lib/stages.js";
import { dealsTable } from "../lib/tables.js";

const PATH = "/v1/funnel/deals";
const OUTCOMES = { won: "page.funnel.won", lost: "page.funnel.lost", abandoned: "page.funnel.abandoned" };

export default {
  id: "funnel",
  title: () => say("page.funnel.title"),
  lays: () => [
    make("ol", { class: "stages" }), make("p", { class: "legend" }), make("p", { class: "closed" }), leftOut(),
  ],
  asks: () => ["/v1/funnel", {}],
  draws: (section, answer, page) => {
    const { stages, closed } = answer;
    const name = naming(stages);
    const largest = Math.max(1, ...stages.map((stage) => Number(stage.amount.amount)));
    const rows = stages.map((stage) => row(stage, name(stage), largest, page));
    const legend = rows.length ? say("page.funnel.legend") : "";
    replaceRows(section.querySelector("ol"), rows, say("page.funnel.none"));
    section.querySelector(".legend").textContent = legend;
    replaceRows(section.querySelector(".closed"), closedParts(closed, page));
    tellLeftOut(section, answer);
  },
  redrawsOn: [
    "deals.deal-opened", "deals.deal-moved", "deals.deal-amount-changed", "deals.deal-handed-over", "deals.deal-won",
    "deals.deal-lost", "deals.deal-abandoned", "deals.deal-reopened", "deals.deal-fact-retracted",
    "deals.deal-migrated", "deals.process-pilot-started", "deals.process-published",
    "deals.exchange-rates-published", "deals.exchange-rate-fact-retracted",
  ],
};

function row(stage, name, largest, page) {
  const { process_id, process_version } = stage;
  const whole = make("span"), weighted = make("span");
  fill(whole, Number(stage.amount.amount) / largest);
  fill(weighted, Number(stage.weighted.amount) / largest);
  const exactly = say("page.funnel.weighted", { amount: money(stage.amount), weighted: money(stage.weighted) });
  const open = () => page.drill(name, PATH, { process_id, process_version, stage: stage.stage }, dealsTable());
  return make("li", { "data-stage": stage.stage, "data-process": `${process_id} ${process_version}` },
    make("span", {}, name, make("span", { class: "count" }, ` ${count(stage.count)}`)),
    make("span", { class: "bar", title: exactly }, whole, weighted),
    make("button", { class: "figure", title: money(stage.amount), onclick: open }, shortMoney(stage.amount)));
}

function closedParts(closed, page) {
  const cycle = closed.won.cycle_days;
  const outcomes = Object.entries(OUTCOMES).map(([outcome, key]) => {
    const name = say(key);
    const open = () => page.drill(name, PATH, { outcome }, dealsTable());
    return make("span", { "data-outcome": outcome },
      make("button", { class: "link", onclick: open }, `${name} ${count(closed[outcome].count)}`),
      ` ${shortMoney(closed[outcome].amount)}`);
  });
  const took = make("span", {}, cycle.n ? say("page.funnel.took", { count: Number(cycle.mean) }) : "");
  return [make("span", {}, say("page.funnel.so-far")), ...outcomes, took];
}
