// The client of /v1: JSON answers, problems as errors, and the end of the session.
const TIMEOUT_MS = 30_000;

// What went wrong, in words for whoever looks at the page.
export class Problem extends Error {}

// The answer to a question; parameters without a value are left out. Throws a Problem.
export async function get(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const response = await send(`${path}?${new URLSearchParams(given)}`);
  if (response.status === 401) return signIn();
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Problem(answer?.errors?.[0]?.message || answer?.detail || answer?.title || say(response));
  if (answer === null) throw new Problem("The answer broke off.");
  return answer;
}

async function send(address) {
  try {
    return await fetch(address, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Problem("The service cannot be reached.");
  }
}

const say = (response) => `The service answered ${response.status}.`;

// The page is left: whoever waits for the answer waits for ever.
function signIn() {
  location.assign("/identity/sign-in");
  return new Promise(() => {});
}
