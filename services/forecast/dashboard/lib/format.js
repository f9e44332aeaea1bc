// How figures and days are written in the reader's language. Amounts stay decimal strings until then.
const language = known(navigator.language) ?? "en";

// Browsers may say what is no language to their own formatters, like en-US@posix.
function known(given) {
  try {
    return Intl.NumberFormat.supportedLocalesOf(given ?? [])[0];
  } catch {
    return undefined;
  }
}

// The decimals are those of the amount's own text: browsers have their own mind about some currencies (HUF, IQD).
const exact = ({ amount, currency }) => {
  const decimals = (amount.split(".")[1] ?? "").length;
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return new Intl.NumberFormat(language, { style: "currency", currency, ...digits });
};
const compact = { style: "currency", notation: "compact", maximumFractionDigits: 2 };
const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const decimal = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const date = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const clock = { hour: "2-digit", minute: "2-digit" };
const minute = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", ...clock });

export const money = (value) => exact(value).format(value.amount);
export const shortMoney = (value) =>
  new Intl.NumberFormat(language, { ...compact, currency: value.currency }).format(value.amount);
export const isBelowZero = (value) => value.amount.startsWith("-");
export const signed = (value) => (isBelowZero(value) ? money(value).replace("-", "−") : `+${money(value)}`);

export const share = (value) => percent.format(value);
export const times = (value) => `${Number(value).toFixed(1)} ×`;
export const days = (value) => `${decimal.format(value)} days`;
export const count = (number, noun) => `${number.toLocaleString(language)} ${noun}${number === 1 ? "" : "s"}`;

export const day = (text) => date.format(new Date(`${text}T12:00:00Z`));
export const time = (text) => minute.format(new Date(text));

// A period as everybody reads it, wherever it stands: 2026 Q4.
export const periodName = (period) => period.replace("-", " ");

// With its months, where it is not what the calendar calls so: 2027 Q1 (Jul 2026 – Sep 2026).
export function periodLabel(name, first, last) {
  const [year, quarter] = name.split("-Q");
  const start = `${year}-${String(3 * (quarter ?? 1) - 2).padStart(2, "0")}`;
  return first.startsWith(start) ? periodName(name) : `${periodName(name)} (${month(first)} – ${month(last)})`;
}
const monthly = new Intl.DateTimeFormat(language, { month: "short", year: "numeric", timeZone: "UTC" });
const month = (text) => monthly.format(new Date(`${text}T12:00:00Z`));
