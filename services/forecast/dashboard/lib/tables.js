// The tables of the drill-down: deals behind a figure, moves behind a leg, the history of a deal.
import { make } from "./dom.js";
import { count, day, money, signed, time } from "./format.js";

const number = (...content) => make("td", { class: "number" }, ...content);
const cell = (...content) => make("td", {}, ...content);
const linked = (deal, open) => make("button", { class: "link", onclick: () => openHistory(deal, open) }, deal.name);

// An amount in its own currency, where that is another than that of the sum; with the day of the rate, if it is known.
const own = (worth, amount, published) => (amount && amount.currency !== worth?.currency
  ? make("span", { class: "own" }, money(amount), published ? `, rate of ${day(published)}` : "")
  : null);

// With `isExpected` an open deal counts with its weighted amount; `told` is what the figure says of the sum.
export const dealsTable = ({ isExpected = false, told = "" } = {}) => (answer, open) => {
  const value = (deal) => (isExpected && deal.outcome === "open" ? deal.weighted : deal.amount);
  const sum = money(isExpected ? answer.expected : answer.amount);
  return {
    heads: ["Deal", "Stage", "Closes", isExpected ? "#Counts with" : "#Amount"],
    sum: `${count(answer.count, "deal")}, ${sum}${told ? `: ${told}` : ""}`,
    rows: answer.deals.map((deal) => make("tr", { "data-amount": value(deal).amount },
      cell(linked(deal, open)),
      cell(deal.outcome === "open" ? deal.stage_name : deal.outcome_title),
      cell(deal.closed_on ?? deal.expected_close ?? ""),
      number(money(value(deal)), own(deal.amount, deal.own_amount, deal.rate_published_on)))),
  };
};

export const movesTable = (answer, open) => ({
  heads: ["Deal", "#Before", "#After", "#Change"],
  sum: `${count(answer.count, "deal")}, ${signed(answer.amount)}`,
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
  heads: ["When", "What", "By", "Before → after"],
  sum: count(answer.count, "event"),
  rows: answer.entries.map((entry) => make("tr", {},
    cell(time(entry.occurred_at)),
    cell(entry.text + (entry.imported ? " (imported)" : "")),
    cell(entry.actor_name ?? entry.actor),
    cell(entry.changes.filter((change) => !UNSHOWN.has(change.field)).map(changed).join("; ")))),
});

const changed = (change) => `${change.title}: ${told(change.before)} → ${told(change.after)}`;
const told = (value) => (value?.currency ? money(value) : value ?? "–");
