import { client } from "../generated/hey-api/client.gen";
import { openDeal as example } from "../generated/hey-api/examples";
import { getDeal, loseDeal, openDeal, stream } from "../generated/hey-api";
import { equal, fail, key, ORIGIN, TOKEN } from "./checks";

client.setConfig({ baseUrl: ORIGIN, auth: TOKEN });

const listening = await stream({ signal: AbortSignal.timeout(60_000) });
const opened = await openDeal({ headers: { "Idempotency-Key": key() }, body: example });
const id = opened.data?.id ?? fail("nothing was opened", opened.error);
const read = await getDeal({ path: { id } });
const deal = read.data ?? fail("the deal is not there", read.error);
equal(deal.status, "open");
equal(deal.name, example.name);

await loseDeal({ path: { id }, headers: { "Idempotency-Key": key() }, body: { reason: "price" } });
const after = (await getDeal({ path: { id } })).data ?? fail("it is gone");
equal(after.status === "lost" ? after.reason : "", "price");

for await (const event of listening.stream) {
  if (event.id === id) {
    equal(event.aggregate, "deal");
    break;
  }
}

const unknown = await getDeal({ path: { id: crypto.randomUUID() } });
equal(unknown.error?.code, "not-found");
process.exit(0);
