// The client of /v1: JSON answers, problems as errors, and the end of the session.
import { language } from "../words.js";
import { say } from "./say.js";

const TIMEOUT_MS = 30_000;
const HEADERS = { "Accept": "application/json", "Accept-Language": language };
// Problems that say the same whatever was asked; of all others the service says more, in English.
const PROBLEMS = {
  "not-a-period": "page.problem.not-a-period",
  "not-found": "page.problem.not-found",
  "too-many-requests": "page.problem.too-many-requests",
  "unavailable": "page.problem.unavailable",
  "unexpected": "page.problem.unexpected",
};

// What went wrong, in words for whoever looks at the page.
export class Problem extends Error {}

// The answer to a question; parameters without a value are left out. Throws a Problem.
export async function get(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const response = await send(`${path}?${new URLSearchParams(given)}`);
  if (response.status === 401) return signIn();
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Problem(told(answer) || say("page.problem.status", { status: String(response.status) }));
  if (answer === null) throw new Problem(say("page.problem.broke-off"));
  return answer;
}

async function send(address) {
  try {
    return await fetch(address, { headers: HEADERS, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Problem(say("page.problem.unreachable"));
  }
}

function told(answer) {
  const fault = answer?.errors?.[0];
  const known = [fault?.code, answer?.code].find((code) => Object.hasOwn(PROBLEMS, code));
  const named = fault?.parameter ? `${fault.parameter}: ${fault.message}` : fault?.message;
  return known ? say(PROBLEMS[known]) : named || answer?.detail || answer?.title;
}

// The page is left: whoever waits for the answer waits for ever. What was asked leads back.
function signIn() {
  location.assign(`/identity/sign-in${location.search}`);
  return new Promise(() => {});
}
