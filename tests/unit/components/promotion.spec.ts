// What the components make of a release: when the tags move, and what is on record as running.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Environment } from "../../../components/environment";
import type { Release } from "../../../rollout/release";
import { environment } from "../config/given";

type Inputs = Record<string, unknown>;

const digest = `sha256:${"a".repeat(64)}`;
const release: Release = {
  server: { reference: `ghcr.io/acme/shop/server@${digest}`, digest, platforms: ["linux/amd64"] },
};
const repository = "ghcr.io/acme/shop/server";
const promotion = {
  release: "1.4.2",
  images: { server: { source: repository, tag: `${repository}:dev`, digest } },
};

/** Declares an environment, with a claim that answers so; what came of it, by type and name in their order. */
async function declare(
  claim: Inputs | "unknown",
  more: Partial<ConstructorParameters<typeof Environment>[1]> = {},
): Promise<{ seen: Map<string, Inputs>; made: Environment }> {
  const seen = new Map<string, Inputs>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const short = type.split(":").at(-1);
        seen.set(`${short} ${name}`, inputs);
        const outputs =
          short === "Claim" ? (claim === "unknown" ? {} : claim) : short === "Soak" ? { runs: release } : {};
        return { id: name, state: { ...inputs, ...outputs, pinned: release["server"]?.reference } };
      },
      call: ({ token }) => {
        throw new Error(`nobody should call ${token}`);
      },
    },
    "shop",
    "dev",
    claim === "unknown",
  );
  const made = new Environment("dev", {
    config: environment(),
    release,
    files: { project: "name: shop", stack: "", repository: "" },
    session: "/tmp/session",
    promotion,
    tried: [],
    ...more,
  });
  for (let before = -1; before !== seen.size; ) {
    before = seen.size;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return { seen, made };
}

describe("A promotion's resources", () => {
  it("lead the tag to the release once the engine has answered, and before anything is pulled", async () => {
    const { seen } = await declare({ claim: "c1a1", platform: "linux/amd64" });
    const order = [...seen.keys()];
    assert.deepEqual(seen.get("EnvironmentTag dev"), promotion);
    assert(order.indexOf("Claim dev") < order.indexOf("EnvironmentTag dev"), order.join());
    assert(order.indexOf("EnvironmentTag dev") < order.indexOf("Image dev-server"), order.join());
  });

  it("do so as well where nobody asks an engine, and where an older state does not know what it runs", async () => {
    for (const claim of ["unknown", { claim: "c1a1" }] as const)
      assert.deepEqual((await declare(claim)).seen.get("EnvironmentTag dev"), promotion);
  });

  it("have on record as running what came through, and nothing that is only given", async () => {
    const { seen, made } = await declare({ claim: "c1a1", platform: "linux/amd64" });
    const [running] = await new Promise<Release[]>((resolve) => made.release.apply((of) => resolve([of])));
    assert.deepEqual(running, release);
    const { release: given, soakMs, gatedAt } = seen.get("Soak dev") ?? {};
    assert.deepEqual([given, soakMs], [release, 5_000]);
    assert.equal(gatedAt, undefined);
  });

  it("let the gate know of the rejections that a release has on it already", async () => {
    const claim = { claim: "c1a1", platform: "linux/amd64" };
    assert.deepEqual((await declare(claim)).seen.get("Gate dev")?.["tried"], undefined);
    const { seen } = await declare(claim, { tried: [digest] });
    assert.deepEqual(seen.get("Gate dev")?.["tried"], [digest]);
  });
});
