import assert from "node:assert/strict";
import { earlier, liveAt, periods, sinceWhen, startedAt, underWay } from "../../../rollout/past";
import type { Receipt } from "../../../rollout/record";

/** A receipt of the hour, from `server:a client:b`. */
function receipt(
  hour: number,
  images: string,
  outcome: Receipt["outcome"],
  more: Partial<Receipt> = {},
): Receipt {
  const two = String(hour).padStart(2, "0");
  return {
    id: `20261121T${two}0000.000Z-000000`,
    environment: "test",
    trigger: "tag",
    by: "ada@build-7",
    via: "watcher",
    images: Object.fromEntries(
      images.split(" ").map((text) => {
        const [image = "", to = ""] = text.split(":");
        return [image, { to }];
      }),
    ),
    hops: outcome === "failed" ? {} : { switched: `2026-11-21T${two}:00:05Z` },
    outcome,
    ...more,
  };
}

const newestFirst = (...receipts: Receipt[]) => receipts.reverse();
const digests = (all: ReturnType<typeof periods>) =>
  all.map(({ images }) =>
    Object.entries(images)
      .map(([image, { digest }]) => `${image}:${digest}`)
      .join(" "),
  );

describe("What receipts tell of the past", () => {
  it("is what ran, from one change of a digest to the next", () => {
    const all = periods(
      newestFirst(
        receipt(1, "server:a client:a", "healthy", { release: "1.0.0" }),
        receipt(2, "server:b client:a", "healthy", { release: "1.1.0" }),
        receipt(3, "server:b client:a", "healthy", { trigger: "repair" }),
        receipt(4, "server:c client:c", "rejected"),
        receipt(5, "server:c client:c", "failed"),
        receipt(6, "server:d client:a", "live"),
      ),
    );
    assert.deepEqual(digests(all), ["server:d client:a", "server:b client:a", "server:a client:a"]);
    assert.deepEqual(
      all.map(({ since, isGood, release }) => [since.slice(11, 13), isGood, release]),
      [
        ["06", false, undefined],
        ["02", true, "1.1.0"],
        ["01", true, "1.0.0"],
      ],
    );
    assert.equal(sinceWhen(all, "server"), "2026-11-21T06:00:05Z");
    assert.equal(sinceWhen(all, "client"), "2026-11-21T01:00:05Z", "it has not changed with the others");
    assert.equal(sinceWhen(all, "worker"), undefined);
  });

  it("keeps what a receipt does not name", () => {
    const all = periods(
      newestFirst(receipt(1, "server:a client:a", "healthy"), receipt(2, "server:b", "healthy")),
    );
    assert.deepEqual(digests(all), ["server:b client:a", "server:a client:a"]);
  });

  it("is one period where the environment went back to what it ran", () => {
    const all = periods(
      newestFirst(
        receipt(1, "server:a", "healthy"),
        receipt(2, "server:b", "rejected"),
        receipt(3, "server:a", "healthy", { trigger: "return" }),
      ),
    );
    assert.deepEqual(digests(all), ["server:a"]);
    assert.equal(all[0]?.since, "2026-11-21T01:00:05Z");
    assert.deepEqual(earlier(all), []);
  });

  it("leaves to go back to what was well, and is something else, once", () => {
    const all = periods(
      newestFirst(
        receipt(1, "server:z", "healthy"),
        receipt(2, "server:a", "healthy"),
        receipt(3, "server:b", "live"),
        receipt(4, "server:a", "healthy"),
        receipt(5, "server:z", "healthy"),
        receipt(6, "server:c", "healthy"),
        receipt(7, "server:z", "healthy"),
      ),
    );
    assert.deepEqual(digests(earlier(all)), ["server:c", "server:a"]);
  });

  it("is no change of an image that the environment no longer runs", () => {
    const all = periods(
      newestFirst(receipt(1, "server:a old:a", "healthy"), receipt(2, "server:a old:b", "healthy")),
      ["server"],
    );
    assert.deepEqual(digests(all), ["server:a"]);
  });

  it("is nothing before the first roll", () => {
    assert.deepEqual(periods([]), []);
    assert.deepEqual(earlier([]), []);
    assert.deepEqual(periods([receipt(1, "server:a", "failed")]), []);
    assert.equal(underWay([]), undefined);
  });

  it("knows the roll that is under way, and none that was", () => {
    const rolling = receipt(2, "server:b", "rolling");
    assert.equal(underWay([rolling, receipt(1, "server:a", "healthy")]), rolling);
    assert.equal(underWay([receipt(3, "server:a", "healthy"), rolling]), undefined);
  });

  it("takes the time from the receipt's id where no hop has one", () => {
    const bare = receipt(7, "server:a", "failed");
    assert.equal(liveAt(bare), "2026-11-21T07:00:00.000Z");
    assert.equal(startedAt(bare), "2026-11-21T07:00:00.000Z");
    assert.equal(liveAt({ ...bare, id: "no time" }), "");
  });
});
