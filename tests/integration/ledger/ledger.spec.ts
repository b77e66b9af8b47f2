/** What environments found out is in the registry: for every machine, whoever writes at the same time. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { admission } from "../../../ledger";
import { RegistryError } from "../../../registry";
import type { Receipt } from "../../../rollout/record";
import { give, startFaultyRegistry } from "../registry/faulty";
import { deleteManifest, pushImage, pushManifest, types } from "../registry/images";
import { type RealRegistry, startRealRegistry } from "../registry/real-registry";
import { type Machine, machines, override, receipt as receiptOf, verdict } from "./records";

describe("The ledger", () => {
  let real: RealRegistry;
  let digest: string;
  let repository: string;
  let machine: Machine;

  const target = () => ({ host: real.host, repository });
  /** Another machine's; its images are the server, and others of which each has a repository beside the server's. */
  const ledger = (environment = "dev", ...more: string[]) => {
    const others = more.map((image) => [image, `${repository}-${image}`]);
    return machine.ledger(real.host, { server: repository, ...Object.fromEntries(others) }, environment);
  };
  const receipt = (id: string, more: Partial<Receipt> = {}) => receiptOf(id, digest, more);

  before(async () => {
    real = await startRealRegistry();
  });
  after(() => real.close());
  beforeEach(async () => {
    machine = machines(300);
    repository = `acme/${randomBytes(4).toString("hex")}`;
    digest = (await pushImage(target(), { flavour: "docker", seed: repository })).digest;
  });
  afterEach(() => machine.close());

  it("has nothing where nothing was written", async () => {
    assert.deepEqual(await ledger().findings("server", digest), {});
    assert.equal(await ledger().hold(), undefined);
    assert.deepEqual(await ledger().receipts(), []);
  });

  it("gives back what was written, on every machine, and to the other environment by name", async () => {
    await ledger().judge("server", digest, verdict("healthy"));
    await ledger().judge("server", digest, verdict("rejected", { configuration: "fedcba9876543210" }));
    const found = await ledger().findings("server", digest);
    assert(found.rejected);
    const { record, ...rejected } = found.rejected;
    assert.deepEqual(found.healthy, verdict("healthy"));
    assert.deepEqual(rejected, verdict("rejected", { configuration: "fedcba9876543210" }));
    await ledger().override("server", digest, override([record]));
    assert.deepEqual((await ledger("test").findings("server", digest, "dev")).override, override([record]));
    assert.deepEqual(await ledger("test").findings("server", digest), {});
  });

  it("writes an artifact beside the image, which names it as its subject, in one request after the first", async () => {
    await ledger().judge("server", digest, verdict("healthy"));
    const url = `http://${real.host}/v2/${repository}/manifests/${digest.replace(":", "-")}.dev.healthy`;
    const response = await fetch(url, { headers: { accept: types.oci.manifest } });
    const written = (await response.json()) as Record<string, unknown>;
    const { size } = written["subject"] as { size: number };
    assert.deepEqual(written["subject"], { mediaType: types.docker.manifest, digest, size });
    assert.equal(written["artifactType"], "application/vnd.tagalong.healthy.v1+json");
  });

  it("keeps the time since when an image is healthy, unless its configuration changed or it was rejected since", async () => {
    const at = async () => (await ledger().findings("server", digest)).healthy?.at;
    await ledger().judge("server", digest, verdict("healthy", { at: "2026-11-21T10:00:00Z" }));
    await ledger().judge("server", digest, verdict("healthy", { at: "2026-11-21T11:00:00Z" }));
    assert.equal(await at(), "2026-11-21T10:00:00Z");
    const configuration = "fedcba9876543210";
    await ledger().judge("server", digest, verdict("healthy", { at: "2026-11-21T12:00:00Z", configuration }));
    assert.equal(await at(), "2026-11-21T12:00:00Z");
    await ledger().judge("server", digest, verdict("rejected", { at: "2026-11-21T13:00:00Z" }));
    await ledger().judge("server", digest, verdict("healthy", { at: "2026-11-21T14:00:00Z", configuration }));
    assert.equal(await at(), "2026-11-21T14:00:00Z");
  });

  it("keeps verdicts of an image that is gone", async () => {
    await deleteManifest(target(), digest);
    await ledger().judge("server", digest, verdict("rejected", { reason: "manifest unknown" }));
    assert.equal((await ledger().findings("server", digest)).rejected?.reason, "manifest unknown");
  });

  it("holds an environment until that is lifted, for everybody", async () => {
    const hold = { at: "2026-11-21T16:15:00.000Z", by: "ada@build-7", reason: "looking into it" };
    await ledger().setHold(hold);
    assert.deepEqual(await ledger().hold(), hold);
    assert.equal(await ledger("test").hold(), undefined);
    await ledger().liftHold("grace@laptop");
    assert.equal(await ledger().hold(), undefined);
  });

  it("takes the last word on a hold for the last, whatever the clocks say", async () => {
    await ledger().setHold({ at: "2999-01-01T00:00:00Z", by: "ada@build-7", reason: "a fast clock" });
    await ledger().liftHold("grace@laptop");
    assert.equal(await ledger().hold(), undefined);
    await ledger().setHold({ at: "2026-11-21T16:15:00Z", by: "ada@build-7", reason: "again" });
    assert.equal((await ledger().hold())?.reason, "again");
  });

  it("does not forget a hold or a receipt when another image comes first by name", async () => {
    await ledger().setHold({ at: "2026-11-21T16:15:00Z", by: "ada@build-7", reason: "looking into it" });
    await ledger().record(receipt("1"));
    const grown = ledger("dev", "client");
    assert.equal((await grown.hold())?.reason, "looking into it");
    await pushImage(
      { host: real.host, repository: `${repository}-client` },
      { flavour: "oci", seed: "client" },
    );
    await grown.record(receipt("2"));
    assert.deepEqual(
      (await grown.receipts()).map(({ id }) => id),
      ["2", "1"],
    );
    await grown.liftHold("ada@build-7");
    assert.equal(await ledger("dev", "client").hold(), undefined);
  });

  it("loses none of 80 verdicts that are written at once", async () => {
    const kinds = [..."abcdefghij"].flatMap((name) =>
      ["dev", "test", "canary", "load"].flatMap((environment) =>
        (["healthy", "rejected"] as const).map((outcome) => ({ name, environment, outcome })),
      ),
    );
    const digests = Object.fromEntries(
      await Promise.all(
        [..."abcdefghij"].map(async (name) => {
          const pushed = await pushImage(target(), { flavour: "oci", seed: `${repository} ${name}` });
          return [name, pushed.digest] as const;
        }),
      ),
    );
    await Promise.all(
      kinds.map(({ name, environment, outcome }) =>
        ledger(environment).judge("server", digests[name] ?? "", verdict(outcome, { receipt: name })),
      ),
    );
    assert.equal(kinds.length, 80);
    for (const { name, environment, outcome } of kinds) {
      const found = await ledger(environment).findings("server", digests[name] ?? "");
      assert.equal(found[outcome]?.receipt, name, `${outcome} ${name} in ${environment}`);
    }
  });

  it("loses no receipt of two that write at the same time", async () => {
    await machine.close();
    machine = machines();
    const [one, other] = [ledger(), ledger()];
    const ids = (prefix: string) => Array.from({ length: 15 }, (_, index) => `${prefix}${index + 10}`);
    const all = [...ids("a"), ...ids("b")];
    await Promise.all([
      ...ids("a").map((id) => one.record(receipt(id))),
      ...ids("b").map((id) => other.record(receipt(id))),
    ]);
    const kept = (await ledger().receipts()).map(({ id }) => id);
    assert.deepEqual(kept, all.sort().reverse());
  });

  it("writes a receipt again that another wrote over", async () => {
    const door = await startFaultyRegistry(real.host);
    let rivals = 0;
    door.fault = async ({ request, response, pass }) => {
      await pass();
      const isWritten = request.method === "PUT" && response.statusCode === 201;
      if (!isWritten || !request.url?.endsWith("receipts") || rivals > 0) return;
      rivals += 1;
      const record = { nonce: "rival", receipts: [receipt("rival")] };
      const text = JSON.stringify({ version: 1, kind: "receipts", environment: "dev", record });
      const annotations = { "dev.tagalong.record": text };
      await pushImage(target(), { flavour: "oci", seed: "rival", annotations }, "tagalong.dev.receipts");
    };
    await machine.ledger(door.host, { server: repository }).record(receipt("own"));
    await door.close();
    assert.deepEqual(
      (await ledger().receipts()).map(({ id }) => id),
      ["rival", "own"],
    );
  });

  it("decides by what is on record, and admits nothing where that is not known", async () => {
    const asked = { image: "server", digest, configuration: "0123456789abcdef", now: Date.now() };
    const afterDev = { ...asked, after: { environment: "dev", forMs: 0 } };
    const decide = async (question: typeof afterDev) => (await admission(ledger("test"), question)).admitted;
    assert.equal((await admission(ledger("test"), asked)).admitted, true);
    assert.equal(await decide(afterDev), false);
    await ledger("dev").judge("server", digest, verdict("healthy"));
    assert.equal(await decide(afterDev), true);
    await ledger("dev").judge("server", digest, verdict("rejected"));
    assert.equal(await decide(afterDev), false);
    const { rejected } = await ledger("dev").findings("server", digest);
    await ledger("test").override("server", digest, override([rejected?.record ?? ""]));
    assert.equal(await decide(afterDev), true);

    const door = await startFaultyRegistry(real.host);
    for (const [suffix, status] of [
      ["dev.rejected", 500],
      ["test.override", 403],
    ] as const) {
      door.fault = ({ request, response, pass }) =>
        request.url?.endsWith(suffix)
          ? give(response, { status, headers: {}, body: Buffer.alloc(0) })
          : pass();
      const asking = machine.ledger(door.host, { server: repository }, "test");
      await assert.rejects(admission(asking, afterDev), RegistryError, suffix);
    }
    await door.close();
  });

  it("asks the environment before in its own repositories, where these are others", async () => {
    const other = `${repository}-dev`;
    const inDev = machine.ledger(real.host, { server: other });
    await pushImage({ host: real.host, repository: other }, { flavour: "docker", seed: repository });
    await inDev.judge("server", digest, verdict("healthy"));
    const after = { environment: "dev", forMs: 0, ledger: inDev };
    const asked = { image: "server", digest, configuration: "x", now: Date.now() };
    assert.equal((await admission(ledger("test"), { ...asked, after })).admitted, true);
  });

  it("replaces a receipt by its newer state, and keeps the last hundred", async () => {
    const writer = ledger();
    const ids = Array.from({ length: 120 }, (_, index) => `r${1000 + index}`);
    await Promise.all(ids.map((id) => writer.record(receipt(id))));
    await writer.record(receipt("r1119", { outcome: "failed", reason: "exited\n| DB=postgres://u:p@h" }));
    const kept = await ledger().receipts();
    assert.deepEqual(
      kept.map(({ id }) => id),
      ids.reverse().slice(0, 100),
    );
    assert.deepEqual([kept[0]?.outcome, kept[0]?.reason], ["failed", "exited"]);
  });

  describe("does not take for nothing", () => {
    const put = (tag: string, annotations: Record<string, string>) =>
      pushImage(target(), { flavour: "oci", seed: "forged", annotations }, tag);
    const forged = (record: unknown) => ({ "dev.tagalong.record": JSON.stringify(record) });
    const rejectedTag = () => `${digest.replace(":", "-")}.dev.rejected`;
    const about = () => ({ version: 1, kind: "rejected", environment: "dev", digest });

    const cases: [string, () => Record<string, string>, RegExp][] = [
      ["another image under a record's name", () => ({}), /is no record "rejected" of dev that can be read/],
      ["what is no JSON", () => ({ "dev.tagalong.record": "{" }), /is no record/],
      [
        "a newer Tagalong's record",
        () => forged({ ...about(), version: 2, record: {} }),
        /was written by a newer version of Tagalong; update this one/,
      ],
      [
        "a record that lacks its time",
        () => forged({ ...about(), record: { outcome: "rejected" } }),
        /is no record/,
      ],
      [
        "a record that was copied from another environment's name",
        () => forged({ ...about(), environment: "test", record: verdict("rejected") }),
        /is no record/,
      ],
      [
        "a record that was copied from another digest's name",
        () => forged({ ...about(), digest: `sha256:${"0".repeat(64)}`, record: verdict("rejected") }),
        /is no record/,
      ],
      [
        "a healthy verdict under the name of a rejection",
        () => forged({ ...about(), record: verdict("healthy") }),
        /is no record/,
      ],
    ];
    for (const [name, annotations, message] of cases) {
      it(name, async () => {
        await put(rejectedTag(), annotations());
        await assert.rejects(ledger().findings("server", digest), (error: Error) => {
          assert(error instanceof RegistryError && error.reason === "invalid", error.message);
          assert(error.message.startsWith(`${real.host}/${repository}:${rejectedTag()}: `), error.message);
          assert.match(error.message, message);
          return true;
        });
      });
    }

    it("an index under a record's name", async () => {
      await pushManifest(
        target(),
        { schemaVersion: 2, mediaType: types.oci.index, manifests: [] },
        types.oci.index,
        rejectedTag(),
      );
      await assert.rejects(ledger().findings("server", digest), /is no record/);
    });

    it("receipts that cannot be read: they are not written over", async () => {
      await put("tagalong.dev.receipts", forged({ version: 9 }));
      await assert.rejects(ledger().record(receipt("1")), /newer version/);
    });
  });

  it("keeps as many receipts as a manifest has room for, however large they are", async () => {
    const images = Object.fromEntries(
      Array.from({ length: 150 }, (_, index) => [
        `image-${index}`,
        { from: digest, to: digest, version: "1.4.2" },
      ]),
    );
    const writer = ledger();
    const ids = Array.from({ length: 60 }, (_, index) => `r${1000 + index}`);
    await Promise.all(ids.map((id) => writer.record(receipt(id, { images }))));
    const kept = await ledger().receipts();
    assert(kept.length > 20 && kept.length < 60, `${kept.length} are kept`);
    assert.equal(kept[0]?.id, "r1059");
  });

  it("cuts a reason that is as long as a log", async () => {
    await ledger().judge(
      "server",
      digest,
      verdict("rejected", { reason: `exited\n${"| x\n".repeat(200_000)}` }),
    );
    assert.equal((await ledger().findings("server", digest)).rejected?.reason, "exited");
  });

  it("shows nothing that a terminal would obey, whoever wrote it", async () => {
    const record = { ...verdict("rejected"), reason: "\u001B[2Jgone\u202E", by: "\u001B]0;root\u0007eve\r" };
    const text = JSON.stringify({ version: 1, kind: "rejected", environment: "dev", digest, record });
    const tag = `${digest.replace(":", "-")}.dev.rejected`;
    await pushImage(
      target(),
      { flavour: "oci", seed: "x", annotations: { "dev.tagalong.record": text } },
      tag,
    );
    const { rejected } = await ledger().findings("server", digest);
    assert.deepEqual([rejected?.reason, rejected?.by], ["gone", "eve"]);
  });
});
