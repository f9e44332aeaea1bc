import { Configuration, DealsApi, ResponseError } from "../generated/typescript-fetch";
import { OpenNewDealFromJSON } from "../generated/typescript-fetch";
import { openDeal } from "../generated/openapi-typescript/examples";
import { equal, fail, key, ORIGIN, TOKEN } from "./checks";

const deals = new DealsApi(new Configuration({ basePath: ORIGIN, accessToken: TOKEN }));

const { id } = await deals.openDeal({ idempotencyKey: key(), openNewDeal: OpenNewDealFromJSON(openDeal) });
const deal = await deals.getDeal({ id });
equal(deal.status, "open");
equal(deal.name, openDeal.name);
equal(deal.processVersion > 0, true);

await deals.loseDeal({ id, idempotencyKey: key(), loseDeal: { reason: "price" } });
const after = await deals.getDeal({ id });
equal(after.status === "lost" ? after.reason : "", "price");

const page = await deals.listDeals({ status: ["lost"], limit: 1 });
equal(page.items.length <= 1, true);

try {
  await deals.getDeal({ id: crypto.randomUUID() });
  fail("a deal that nobody opened is there");
} catch (error) {
  if (!(error instanceof ResponseError)) throw error;
  equal(((await error.response.json()) as { code: string }).code, "not-found");
}
