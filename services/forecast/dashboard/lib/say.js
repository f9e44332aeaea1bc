// What the page says, in its language: texts of the catalogue with values by name, and the plural form of a `count`.
import { language, texts } from "../words.js";

// Browsers may say what is no language to their own formatters, like en-US@posix.
const known = (tag) => {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag)[0];
  } catch {
    return undefined;
  }
};

// How numbers and days are written: as in the reader's region where they read this language, de-AT for German.
const ofPage = new Intl.Locale(language).language;
const read = navigator.languages.map(known).filter(Boolean);
export const locale = read.find((tag) => new Intl.Locale(tag).language === ofPage) ?? language;

const DECIMALS = 1;
const number = new Intl.NumberFormat(locale, { maximumFractionDigits: DECIMALS });
const plural = new Intl.PluralRules(language, { maximumFractionDigits: DECIMALS });

const form = (text, { count }) => (typeof text === "string" ? text : text[plural.select(count)] ?? text.other);
const written = (value) => (typeof value === "number" ? number.format(value) : value);

export const say = (key, values = {}) =>
  form(texts[key], values).replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
