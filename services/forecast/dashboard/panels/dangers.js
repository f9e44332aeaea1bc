// The deals that endanger the period most, and why.
import { make, replaceRows } from "../lib/dom.js";
import { day, money, shortMoney } from "../lib/format.js";
import { say } from "../lib/say.js";
import { openHistory } from "../lib/tables.js";

const SHOWN = 5;

export default {
  id: "dangers",
  title: () => say("page.dangers.title"),
  lays: () => [make("ol", { class: "deals" })],
  asks: ({ period }) => ["/v1/endangered-deals", { period, limit: SHOWN }],
  draws: (section, answer, page) => {
    const rows = answer.deals.map((deal) => row(deal, page));
    replaceRows(section.querySelector("ol"), rows, say("page.dangers.none"));
  },
  redrawsOn: [
    "deals.deal-opened", "deals.deal-moved", "deals.deal-amount-changed", "deals.deal-close-date-changed",
    "deals.deal-handed-over", "deals.deal-won", "deals.deal-lost", "deals.deal-abandoned", "deals.deal-reopened",
    "deals.deal-fact-retracted", "deals.deal-activity-logged", "deals.deal-facts-noted", "deals.deal-node-completed",
    "deals.deal-next-step-planned", "deals.deal-activity-corrected", "deals.deal-renamed", "deals.deal-migrated",
    "deals.process-pilot-started", "deals.process-published",
    "deals.exchange-rates-published", "deals.exchange-rate-fact-retracted",
  ],
};

const exactly = ({ amount, own_amount: own, rate_published_on: published }) =>
  (published ? say("page.dangers.at-rate", { own: money(own), day: day(published), amount: money(amount) })
    : money(amount));

function row(deal, page) {
  const about = [deal.owner_name, deal.expected_close && day(deal.expected_close)].filter(Boolean).join(" · ");
  return make("li", { "data-deal": deal.id },
    make("button", { class: "link", onclick: () => openHistory(deal, page.drill) }, deal.name),
    make("span", { class: "amount", title: exactly(deal) }, shortMoney(deal.amount)),
    make("p", {},
      make("span", { class: "meta" }, about),
      make("span", { class: "why" }, deal.reasons.map((reason) => reason.sentence).join(" "))));
}
