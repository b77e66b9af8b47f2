// What an environment's components declare, seen by Pulumi's own mocks: options such as parents are invisible to them.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { EngineArgs } from "../../../components/engine";
import type { EnvironmentConfig } from "../../../config";
import { EnvironmentTag } from "../../../provider/resources";
import type { Release } from "../../../rollout/release";

export type Inputs = Record<string, unknown>;

export const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const released = (image: string, digit: string) => ({
  reference: `ghcr.io/acme/shop/${image}@${digest(digit)}`,
  digest: digest(digit),
  platforms: ["linux/amd64"],
});
export const release: Release = { server: released("server", "a"), client: released("client", "b") };
export const images = {
  server: { repository: "ghcr.io/acme/shop/server" },
  client: { repository: "ghcr.io/acme/shop/client" },
};

/** The component of an engine. */
type Engine = new (
  name: string,
  args: EngineArgs,
) => { claim: pulumi.CustomResource; switchedAt: pulumi.Output<number | undefined> };

/** What the engines and the provider would answer, by the resource's short type. */
const answers: Record<string, (inputs: Inputs) => Inputs> = {
  Image: ({ reference }) => ({ pinned: String(reference).replace(/:[^:@/]+$/, `@${digest("e")}`) }),
  Claim: () => ({ claim: "c1a1" }),
  ClusterClaim: () => ({ claim: "c1a1", platforms: ["linux/amd64"], host: "node.example" }),
  Secret: ({ metadata }) => ({ metadata: { name: "secret-0", ...(metadata as object) } }),
  Deployment: ({ metadata }) => ({ metadata: { generation: 7, ...(metadata as object) } }),
};

/** Everything that an environment of this config declares, by type and name. */
export async function declared(
  Engine: Engine,
  config: EnvironmentConfig,
  of = release,
  repository = "",
): Promise<Map<string, Inputs>> {
  const seen = new Map<string, Inputs>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const short = type.split(":").at(-1) ?? "";
        seen.set(`${short} ${name}`, inputs);
        return {
          id: `id-of-${name}-and-more`,
          state: { name, ...inputs, ...answers[short]?.(inputs) },
        };
      },
      call: ({ token }) => {
        throw new Error(`nobody should call ${token}`);
      },
    },
    "shop",
    config.stack,
  );
  const made = new Engine(config.stack, {
    config,
    release: of,
    files: { project: "", stack: "", repository },
    promote: () => new EnvironmentTag(config.stack, { release: "", images: {} }),
    tried: [],
  });
  await new Promise((resolve) => pulumi.all([made.claim.urn, made.switchedAt]).apply(resolve));
  // Outputs of outputs: everything is declared once nothing new comes any more.
  for (let before = -1; before !== seen.size; ) {
    before = seen.size;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return seen;
}

export const find = (seen: Map<string, Inputs>, start: string): Inputs => {
  const found = [...seen].find(([name]) => name.startsWith(start));
  assert(found, `${start} is not among ${[...seen.keys()].sort().join(", ")}`);
  return found[1];
};
