// The health of the process: each metric against its limits, and what to do about it.
import { make, replaceRows } from "../lib/dom.js";
import { count, days, share } from "../lib/format.js";
import { say } from "../lib/say.js";

const ARROWS = { improving: "▲ ", worsening: "▼ " };
const WITHOUT_HINT = new Set(["healthy", "no-data"]);

export default {
  id: "health",
  title: () => say("page.health.title"),
  lays: () => [make("ul", { class: "metrics" })],
  asks: () => ["/v1/health-metrics", {}],
  draws: (section, answer) => replaceRows(section.querySelector("ul"), answer.metrics.map(row)),
  redrawsOn: [
    "deals.deal-opened", "deals.deal-moved", "deals.deal-amount-changed", "deals.deal-handed-over", "deals.deal-won",
    "deals.deal-lost", "deals.deal-abandoned", "deals.deal-reopened", "deals.deal-fact-retracted",
    "deals.deal-activity-logged", "deals.deal-facts-noted", "deals.deal-node-completed", "deals.deal-next-step-planned",
    "deals.deal-flexible-node-added", "deals.deal-flexible-node-removed", "deals.deal-rule-fired",
    "deals.deal-migrated", "deals.deal-activity-corrected", "deals.target-set", "deals.target-fact-retracted",
    "leads.lead-captured", "leads.lead-assigned", "leads.lead-left-unassigned", "leads.lead-converted",
    "leads.lead-marked-duplicate", "leads.lead-fact-retracted",
    "receivables.invoice-issued", "receivables.invoice-overdue", "receivables.receipt-recorded",
    "receivables.receipt-allocated", "receivables.allocation-reversed",
    "deals.exchange-rates-published", "deals.exchange-rate-fact-retracted",
  ],
};

function row(metric) {
  const show = (value) => (value === null ? "–" : metric.unit === "days" ? days(value) : share(value));
  const limits = metric.more_is_better ? "page.health.more-is-better" : "page.health.less-is-better";
  const [healthy, alert] = [show(metric.healthy), show(metric.alert)];
  const trend = `${ARROWS[metric.trend] ?? ""}${metric.trend_title}`;
  return make("li", { class: metric.state, "data-metric": metric.metric },
    make("div", { class: "top" }, make("span", {}, metric.name), make("span", { class: "chip" }, metric.state_title)),
    make("div", { class: "top" },
      make("span", { class: "value" }, show(metric.value)),
      make("span", { class: "limits" }, [trend, `n = ${count(metric.n)}`].filter(Boolean).join(", "))),
    make("p", { class: "limits" }, metric.description),
    make("p", { class: "limits" }, say(limits, { healthy, alert })),
    WITHOUT_HINT.has(metric.state) ? null : make("p", { class: "hint" }, metric.hint));
}
