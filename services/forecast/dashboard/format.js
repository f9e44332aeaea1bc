// How figures and words are shown. Amounts stay decimal strings until they are written.
const language = navigator.language || "en";

// The decimals are those of the amount's own text: browsers have their own mind about some currencies (HUF, IQD).
const exact = ({ amount, currency }) => {
  const decimals = (amount.split(".")[1] ?? "").length;
  return new Intl.NumberFormat(language, { style: "currency", currency, minimumFractionDigits: decimals, maximumFractionDigits: decimals });
};
const compact = (currency) => new Intl.NumberFormat(language, { style: "currency", currency, notation: "compact", maximumFractionDigits: 2 });

export const money = (value) => exact(value).format(value.amount);
export const shortMoney = (value) => compact(value.currency).format(value.amount);
export const signed = (value) => (value.amount.startsWith("-") ? money(value).replace("-", "−") : `+${money(value)}`);
export const share = (value) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(value);
export const days = (value) => `${new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value)} days`;

export const count = (number, noun) => `${number.toLocaleString(language)} ${noun}${number === 1 ? "" : "s"}`;
export const day = (text) => new Date(`${text}T12:00:00Z`).toLocaleDateString(language, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
export const time = (text) => new Date(text).toLocaleString(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

// What happened, as a salesperson would say it; other kinds are said by their own names.
const SAID = {
  "deals.deal-node-completed": "Task done", "deals.deal-next-step-planned": "Next step planned", "deals.deal-activity-logged": "Worked on",
  "deals.deal-facts-noted": "Facts noted", "deals.deal-amount-changed": "Amount changed", "deals.deal-close-date-changed": "Close date changed",
  "deals.deal-category-changed": "Category changed", "leads.lead-activity-logged": "Lead worked on", "leads.lead-follow-up-planned": "Follow-up planned",
  "leads.lead-qualification-noted": "Lead qualified further", "leads.lead-captured": "New lead",
};
export const happened = (type) => SAID[type] ?? words(type.split(".")[1]);

export const words = (key) => {
  const text = key.replaceAll("-", " ").replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
