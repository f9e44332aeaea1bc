// The tables of the drill-down: deals behind a figure, moves behind a leg, the history of a deal.
import { make } from "./dom.js";
import { day, money, share, signed, time } from "./format.js";
import { say } from "./say.js";

const number = (...content) => make("td", { class: "number" }, ...content);
const cell = (...content) => make("td", {}, ...content);
const linked = (deal, open) => make("button", { class: "link", onclick: () => openHistory(deal, open) }, deal.name);

// An amount in its own currency, where that is another than that of the sum; with the day of the rate, if it is known.
const own = (worth, amount, published) => (amount && amount.currency !== worth?.currency
  ? make("span", { class: "own" }, atRate(money(amount), published))
  : null);

const atRate = (amount, published) =>
  (published ? say("page.table.own-at-rate", { amount, day: day(published) }) : amount);

// A name with "#" stands over numbers.
const over = (key) => `#${say(key)}`;

// With `isExpected` an open deal counts with its weighted amount; `told` is what the figure says of the sum.
export const dealsTable = ({ isExpected = false, told = "" } = {}) => (answer, open) => {
  const value = (deal) => (isExpected && deal.outcome === "open" ? deal.weighted : deal.amount);
  const sum = money(isExpected ? answer.expected : answer.amount);
  return {
    heads: [
      say("page.table.deal"), say("page.table.stage"), say("page.table.closes"),
      over(isExpected ? "page.table.counts-with" : "page.table.amount"),
    ],
    sum: say(told ? "page.table.sum-told" : "page.table.sum", { count: answer.count, sum, told }),
    rows: answer.deals.map((deal) => make("tr", { "data-amount": value(deal).amount },
      cell(linked(deal, open)),
      cell(deal.outcome === "open" ? deal.stage_name : deal.outcome_title),
      cell(whole(deal.closed_on ?? deal.expected_close)),
      number(money(value(deal)), own(deal.amount, deal.own_amount, deal.rate_published_on)))),
  };
};

export const movesTable = (answer, open) => ({
  heads: [
    say("page.table.deal"), over("page.table.before"), over("page.table.after"), over("page.table.change"),
  ],
  sum: say("page.table.sum", { count: answer.count, sum: signed(answer.amount) }),
  rows: answer.deals.map((move) => make("tr", { "data-amount": move.amount.amount },
    cell(linked(move, open)),
    number(move.before ? money(move.before) : "", own(move.before ?? move.amount, move.own_before)),
    number(move.after ? money(move.after) : "", own(move.after ?? move.amount, move.own_after)),
    number(signed(move.amount)))),
});

export const openHistory = (deal, open) => open(deal.name, `/v1/deal-histories/${deal.id}`, {}, historyTable);

// Who has a deal is an id, which says nothing to a reader.
const UNSHOWN = new Set(["owner", "team"]);

const historyTable = (answer) => ({
  heads: [say("page.table.when"), say("page.table.what"), say("page.table.by"), say("page.table.before-after")],
  sum: say("page.events", { count: answer.count }),
  rows: answer.entries.map((entry) => make("tr", {},
    cell(time(entry.occurred_at)),
    cell(entry.imported ? say("page.table.imported", { what: entry.text }) : entry.text),
    cell(entry.actor_name ?? entry.actor),
    cell(entry.changes.filter((change) => !UNSHOWN.has(change.field)).map(changed).join("; ")))),
});

// What the answer has words for is said with these; days and shares are written as everywhere.
const changed = ({ field, title, before, before_title, after, after_title }) =>
  `${title}: ${before_title ?? told(field, before)} → ${after_title ?? told(field, after)}`;

const whole = (text) => (text ? day(text) : "");
const WRITTEN = { amount: money, closed_on: day, expected_close: day, probability: share };

function told(field, value) {
  if (value === null) return "–";
  return Object.hasOwn(WRITTEN, field) ? WRITTEN[field](value) : value;
}
