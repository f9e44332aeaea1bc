// How processes are followed in the period, by stage: gates, skips, returns, wins, waivers, and work that fell due.
import { make, replaceRows } from "../lib/dom.js";
import { count, periodName, share } from "../lib/format.js";
import { say } from "../lib/say.js";
import { naming } from "../lib/stages.js";

// The columns, and what each shows of the figures of a stage: a number, or a part of a whole with its share.
const COLUMNS = {
  "page.conformance.pass-rate": ({ gates }) => [gates.first_passes, gates.first_attempts, gates.pass_rate],
  "page.conformance.refusals": ({ gates }) => gates.refusals,
  "page.conformance.skips": ({ skips }) => skips,
  "page.conformance.returns": ({ returns }) => returns,
  "page.conformance.passed-by-winning": ({ winning }) => winning.stages_passed,
  "page.conformance.won-unmet": ({ winning }) => winning.exits_unmet,
  "page.conformance.waivers": ({ waivers }) => waivers.given,
  "page.conformance.waivers-expired": ({ waivers }) => waivers.expired,
  "page.conformance.flexible-nodes": ({ flexible_nodes: nodes }) => nodes.added,
  "page.conformance.completion": ({ completion: { due, completed, completion_rate: rate } }) => [completed, due, rate],
  "page.conformance.proposals": ({ proposals: { due, on_time: done, on_time_rate: rate } }) => [done, due, rate],
};

export default {
  id: "conformance",
  title: (answer) => (answer
    ? say("page.conformance.title-of", { period: periodName(answer.period) })
    : say("page.conformance.title")),
  lays: () => [make("div", { class: "wide" }, make("table", {}, make("thead", {}, heads()), make("tbody")))],
  asks: ({ period }) => ["/v1/process-conformance", { period }],
  draws: (section, answer) => {
    const name = naming(answer.stages);
    const rows = answer.stages.map((stage) => row(stage.figures, name(stage)));
    const whole = rows.length ? [row(answer.total, say("page.conformance.total"), "edge")] : [nothing()];
    section.querySelector("thead").hidden = !rows.length;
    replaceRows(section.querySelector("tbody"), [...rows, ...whole]);
  },
  redrawsOn: [
    "deals.deal-opened", "deals.deal-moved", "deals.deal-handed-over", "deals.deal-won", "deals.deal-lost",
    "deals.deal-abandoned", "deals.deal-reopened", "deals.deal-fact-retracted", "deals.deal-migrated",
    "deals.deal-node-completed", "deals.deal-gate-refused", "deals.deal-criterion-waived",
    "deals.deal-waiver-revoked", "deals.deal-flexible-node-added", "deals.deal-flexible-node-removed",
    "deals.deal-rule-fired", "deals.process-pilot-started", "deals.process-published",
  ],
};

const nothing = () => make("tr", {},
  make("td", { class: "empty", colspan: Object.keys(COLUMNS).length + 1 }, say("page.conformance.none")));

const heads = () => make("tr", {},
  make("th", { scope: "col" }, say("page.table.stage")),
  ...Object.keys(COLUMNS).map((key) => make("th", { scope: "col", class: "number" }, say(key))));

const row = (figures, name, tone) => make("tr", { class: tone },
  make("th", { scope: "row" }, name),
  ...Object.values(COLUMNS).map((figure) => make("td", { class: "number" }, ...shown(figure(figures)))));

function shown(figure) {
  if (!Array.isArray(figure)) return [count(figure)];
  const [part, whole, rate] = figure;
  if (rate === null) return ["–"];
  const of = say("page.conformance.of", { part: count(part), whole: count(whole) });
  return [share(rate), make("span", { class: "count" }, of)];
}
