// What is asked stands in the address: period, team, as_of.
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
