/** No fault of a registry is ever taken for a move to a wrong digest or for "unmoved", and after it all is well. */
import assert from "node:assert/strict";
import { type Observation, parseReference, RegistryClient } from "../../../registry";
import { faults } from "./faults";
import { type FaultyRegistry, startFaultyRegistry } from "./faulty";
import { pushImage } from "./images";
import { type RealRegistry, startRealRegistry } from "./real-registry";

describe("a registry's fault", () => {
  let real: RealRegistry;
  let faulty: FaultyRegistry;
  let older: string;
  let newer: string;
  let client: RegistryClient;
  let skippedMs: number;

  const reference = () => parseReference(`${faulty.host}/acme/server:dev`);
  const digestIn = (seen: Observation) => (seen.kind === "unknown" ? seen.detail : seen.digest);

  const clientWaiting = (deadlineMs: number) =>
    new RegistryClient({
      credentials: async () => ({ kind: "password", username: "u", password: "p", source: "test" }),
      insecure: new Set(),
      deadlineMs,
      now: () => performance.now() + skippedMs,
    });

  before(async () => {
    real = await startRealRegistry();
    const target = { host: real.host, repository: "acme/server" };
    older = (await pushImage(target, { flavour: "oci", seed: "older" }, "older")).digest;
    newer = (await pushImage(target, { flavour: "oci", seed: "newer" }, "dev")).digest;
    faulty = await startFaultyRegistry(real.host);
  });
  after(async () => {
    await faulty.close();
    await real.close();
  });
  beforeEach(() => {
    skippedMs = 0;
    client = clientWaiting(10_000);
  });
  afterEach(async () => {
    faulty.fault = undefined;
    await client.close();
  });

  for (const { name, fault, reasons } of faults) {
    const stalls = reasons.includes("timeout");

    for (const situation of ["moved", "first seen"] as const) {
      it(`${name}: a tag ${situation} is ${reasons.join(" or ") || "still seen right"}`, async () => {
        const known = situation === "moved" ? older : undefined;
        if (stalls) client = clientWaiting(800);
        faulty.fault = fault;
        const seen = await client.observe(reference(), known);
        if (reasons.length === 0) {
          assert.deepEqual([seen.kind, digestIn(seen)], ["moved", newer]);
        } else {
          assert.equal(seen.kind, "unknown", `${seen.kind} ${digestIn(seen)}`);
          assert(seen.kind === "unknown" && reasons.includes(seen.reason), JSON.stringify(seen));
          assert.match(seen.detail, /;|\. /, "the detail says what to do");
        }
        faulty.fault = undefined;
        skippedMs += 5 * 60_000;
        const after = await client.observe(reference(), known);
        assert.deepEqual([after.kind, digestIn(after)], ["moved", newer], "the client recovers");
      });
    }

    it(`${name}: a tag that did not move is not said to have moved`, async () => {
      if (stalls) client = clientWaiting(800);
      faulty.fault = fault;
      const seen = await client.observe(reference(), newer);
      assert.notEqual(seen.kind, "moved", digestIn(seen));
      if (seen.kind === "unmoved") assert.equal(seen.digest, newer);
      faulty.fault = undefined;
      skippedMs += 5 * 60_000;
      assert.equal((await client.observe(reference(), newer)).kind, "unmoved", "the client recovers");
    });

    if (reasons.length > 0) {
      it(`${name}: fails a fetch, an image and a resolve with the reference and a fix`, async () => {
        if (stalls) client = clientWaiting(800);
        for (const ask of ["manifest", "image", "resolve"] as const) {
          faulty.fault = fault;
          skippedMs += 5 * 60_000;
          const asked = client[ask](reference());
          if (name === "404" && ask === "resolve") {
            assert.deepEqual(await asked, { kind: "none" });
            continue;
          }
          if (name === "a wrong digest header on HEAD") {
            await asked;
            continue;
          }
          await assert.rejects(asked, (error: Error & { reason?: string }) => {
            assert.equal(error.name, "RegistryError");
            assert(error.message.startsWith(`${faulty.host}/acme/server:dev: `), error.message);
            return true;
          });
        }
      });
    }
  }

  it("not modified, when we sent no digest, is invalid", async () => {
    faulty.fault = ({ response }) => void response.writeHead(304).end();
    const seen = await client.observe(reference());
    assert.equal(seen.kind === "unknown" && seen.reason, "invalid");
  });

  it("refusing connections is a network failure, and the client recovers when it is back", async () => {
    const gone = await startFaultyRegistry();
    await gone.close();
    const seen = await client.observe(parseReference(`${gone.host}/acme/server:dev`), older);
    assert.equal(seen.kind === "unknown" && seen.reason, "network");
    assert.match(seen.kind === "unknown" ? seen.detail : "", /check the port/);
  });

  it("asking for patience keeps us away altogether until the time is over", async () => {
    faulty.fault = ({ response }) => void response.writeHead(429, { "retry-after": "120" }).end();
    await client.observe(reference(), newer);
    faulty.fault = undefined;
    const requests = faulty.log.length;
    for (const other of ["dev", "older", "none"]) {
      const seen = await client.observe(parseReference(`${faulty.host}/acme/server:${other}`), newer);
      assert(seen.kind === "unknown" && seen.reason === "rate-limited" && (seen.retryAfterMs ?? 0) > 100_000);
    }
    await assert.rejects(client.manifest(reference()), /asked not to be contacted/);
    assert.equal(faulty.log.length, requests, "no request while paused");
    skippedMs += 120_000;
    assert.equal((await client.observe(reference(), newer)).kind, "unmoved");
  });
});
