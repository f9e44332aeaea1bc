import createClient from "openapi-fetch";

import type { paths } from "../generated/openapi-typescript/schema";
import { openDeal } from "../generated/openapi-typescript/examples";
import { equal, fail, key, ORIGIN, TOKEN } from "./checks";

const client = createClient<paths>({ baseUrl: ORIGIN, headers: { Authorization: `Bearer ${TOKEN}` } });

const opened = await client.POST("/v1/deals", { params: { header: { "Idempotency-Key": key() } }, body: openDeal });
const id = opened.data?.id ?? fail("nothing was opened", opened.error);
const read = await client.GET("/v1/deals/{id}", { params: { path: { id } } });
const deal = read.data ?? fail("the deal is not there", read.error);
equal(deal.status, "open");
equal(deal.name, openDeal.name);
equal(deal.category, deal.category_of_stage);

const lost = await client.POST("/v1/deals/{id}/lose", {
  params: { path: { id }, header: { "Idempotency-Key": key() } },
  body: { reason: "price" },
});
equal(lost.data?.version, deal.version + 1);
const after = (await client.GET("/v1/deals/{id}", { params: { path: { id } } })).data ?? fail("it is gone");
equal(after.status === "lost" ? after.reason : "", "price");

const unknown = await client.GET("/v1/deals/{id}", { params: { path: { id: crypto.randomUUID() } } });
equal(unknown.error?.code, "not-found");
