// How figures and days are written where the reader lives. Amounts stay decimal strings until then.
import { locale, say } from "./say.js";

// The decimals are those of the amount's own text: browsers have their own mind about some currencies (HUF, IQD).
const exact = ({ amount, currency }) => {
  const decimals = (amount.split(".")[1] ?? "").length;
  const own = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return new Intl.NumberFormat(locale, { style: "currency", currency, ...own });
};
// Where a language has no short word for a thousand, like German, short is what has three digits that count.
const hasThousand = new Intl.NumberFormat(locale, { notation: "compact" }).formatToParts(1000)
  .some(({ type }) => type === "compact");
const digits = hasThousand ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 3 };
const compact = { style: "currency", notation: "compact", ...digits };
const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
const decimals = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const clock = { hour: "2-digit", minute: "2-digit" };
const minute = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", ...clock });

export const money = (value) => exact(value).format(value.amount);
export const shortMoney = (value) =>
  new Intl.NumberFormat(locale, { ...compact, currency: value.currency }).format(value.amount);
export const isBelowZero = (value) => value.amount.startsWith("-");
export const signed = (value) => (isBelowZero(value) ? money(value).replace("-", "−") : `+${money(value)}`);

export const share = (value) => percent.format(value);
export const times = (value) => `${decimals.format(value)} ×`;
export const days = (value) => say("page.days", { count: Number(value) });
export const count = (number) => number.toLocaleString(locale);

export const day = (text) => date.format(new Date(`${text}T12:00:00Z`));
export const time = (text) => minute.format(new Date(text));

// A period, wherever it stands: 2026 Q4. A year and a month are what they are.
export function periodName(period) {
  const [year, quarter] = period.split("-Q");
  return quarter ? say("page.period.quarter", { year, quarter }) : period.replace("-", " ");
}

// With its months, where it is not what the calendar calls so: 2027 Q1 (Jul 2026 – Sep 2026).
export function periodLabel(name, first, last) {
  const [year, quarter] = name.split("-Q");
  const start = `${year}-${String(3 * (quarter ?? 1) - 2).padStart(2, "0")}`;
  return first.startsWith(start) ? periodName(name) : `${periodName(name)} (${month(first)} – ${month(last)})`;
}
const monthly = new Intl.DateTimeFormat(locale, { month: "short", year: "numeric", timeZone: "UTC" });
const month = (text) => monthly.format(new Date(`${text}T12:00:00Z`));
