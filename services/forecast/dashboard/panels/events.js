// The newest events, whatever they are; those that came since the last look stand out.
import { make, replaceRows } from "../lib/dom.js";
import { shortMoney, time } from "../lib/format.js";
import { say } from "../lib/say.js";

const SHOWN = 12;
const LOOKED_AT = 40;
const OF_NO_INTEREST = new Set(["leads.turn-taken", "receivables.history-arranged"]);

export default {
  id: "events",
  title: () => say("page.newest.title"),
  lays: () => [make("ol", { class: "newest" })],
  asks: () => ["/v1/newest-events", { limit: LOOKED_AT }],
  draws: (section, { events }) => {
    const list = section.querySelector("ol");
    const seen = Number(list.dataset.newest ?? 0);
    const shown = events.filter((event) => !OF_NO_INTEREST.has(event.type)).slice(0, SHOWN);
    const rows = shown.map((event) => row(event, seen > 0 && event.position > seen));
    list.dataset.newest = Math.max(seen, ...events.map((event) => event.position));
    replaceRows(list, rows, say("page.newest.none"));
  },
  redrawsOn: ["*"],
};

const row = (event, isFresh) => make("li", { class: isFresh ? "fresh" : null },
  make("time", { datetime: event.occurred_at }, time(event.occurred_at)),
  make("span", { class: "what" }, event.text,
    event.name ? make("b", {}, event.name) : null,
    event.amount ? make("span", {}, shortMoney(event.amount)) : null),
  make("span", { class: "by" }, event.actor_name ?? ""));
