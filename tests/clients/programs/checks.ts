export const [ORIGIN = fail("no origin is given"), TOKEN = fail("no token is given")] = process.argv.slice(2);

export function key(): string {
  return crypto.randomUUID();
}

export function fail(message: string, told?: unknown): never {
  throw new Error(told === undefined ? message : `${message}: ${JSON.stringify(told)}`);
}

export function equal<Value>(found: Value | undefined, wanted: Value): void {
  if (found !== wanted) fail(`${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
}
