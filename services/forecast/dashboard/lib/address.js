// What is asked stands in the address: period, team, as_of; and in which language, if not the browser's.
const NAMES = ["period", "team", "as_of"];

const parameters = () => new URLSearchParams(location.search);

export const asked = () => Object.fromEntries(NAMES.map((name) => [name, parameters().get(name) ?? ""]));

// What narrows every question alike.
export const narrowing = () => ({ team: asked().team, as_of: asked().as_of });

// `isStep` is what the way back leads past.
export function setAsked(changes, { isStep = true } = {}) {
  const next = parameters();
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const address = next.size ? `?${next}` : location.pathname;
  if (isStep) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

// The page in another language is another page, of which the same is asked.
export const inLanguage = (language) => {
  const next = parameters();
  next.set("language", language);
  return `?${next}`;
};

// The page as it opens, in the language that was chosen.
export const opening = () => {
  const chosen = parameters().get("language");
  return chosen ? `/?${new URLSearchParams({ language: chosen })}` : "/";
};
