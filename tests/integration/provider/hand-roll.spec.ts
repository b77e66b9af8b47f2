// What a `pulumi up` by hand leaves in the registry of its roll, whatever comes in between.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Ledger } from "../../../ledger";
import type { Context } from "../../../provider/handler";
import { type HandRoll, handRoll, type Roll } from "../../../provider/handRoll";
import { joinSession, offer } from "../../../provider/session";
import { parseReference, RegistryClient } from "../../../registry";
import type { Receipt } from "../../../rollout/record";
import { type FaultyRegistry, give, startFaultyRegistry } from "../registry/faulty";
import { pushImage } from "../registry/images";
import { type RealRegistry, startRealRegistry } from "../registry/real-registry";

describe("A roll by hand", function () {
  this.timeout(240_000);

  let real: RealRegistry;
  let door: FaultyRegistry;
  let client: RegistryClient;
  let ledger: Ledger;
  let digest: string;
  const said: string[] = [];
  const cancel = new AbortController();
  const context: Context = {
    signal: new AbortController().signal,
    log: (severity, message) => void said.push(`${severity}: ${message}`),
  };
  const repository = () => `${door.host}/shop/server`;

  before(async () => {
    real = await startRealRegistry();
    joinSession("");
  });
  after(async () => {
    joinSession("");
    await real.close();
  });
  beforeEach(async () => {
    said.splice(0);
    door = await startFaultyRegistry(real.host);
    client = new RegistryClient({ credentials: async () => undefined });
    ledger = new Ledger(client, "test", { server: parseReference(`${real.host}/shop/server`) });
    const seed = randomBytes(6).toString("hex");
    ({ digest } = await pushImage({ host: real.host, repository: "shop/server" }, { flavour: "oci", seed }));
  });
  afterEach(async () => {
    await client.close();
    await door.close();
  });

  const beginning = (id = randomBytes(4).toString("hex")): Receipt => ({
    id,
    environment: "test",
    trigger: "config",
    by: "ada@build-7",
    via: "up",
    images: { server: { to: digest } },
    hops: {},
    outcome: "rolling",
  });
  async function start(receipt = beginning(), more: Partial<HandRoll["images"][string]> = {}): Promise<Roll> {
    const server = {
      repository: repository(),
      digest,
      configuration: "0123456789abcdef",
      services: ["server"],
      isMoved: true,
      isNew: true,
      ...more,
    };
    const roll = { environment: "test", directory: "/nowhere", images: { server }, receipt };
    joinSession(offer({ credentials: {}, role: "hand", roll }));
    const found = await handRoll();
    assert(found);
    return found;
  }
  const find = async (id: string) => (await ledger.receipts()).find((receipt) => receipt.id === id);

  it("that stays well leaves a verdict, and a receipt with the time of each step", async () => {
    const roll = await start();
    roll.reached("started", context, Date.parse("2026-11-21T16:15:00Z"));
    roll.reached("switched", context, Date.parse("2026-11-21T16:15:02Z"));
    await roll.healthy(context);
    const receipt = await find(roll.id);
    assert.equal(receipt?.outcome, "healthy");
    assert.deepEqual(receipt?.hops, {
      started: "2026-11-21T16:15:00.000Z",
      switched: "2026-11-21T16:15:02.000Z",
    });
    const { healthy } = await ledger.findings("server", digest);
    assert.deepEqual(
      [healthy?.configuration, healthy?.by, healthy?.receipt],
      ["0123456789abcdef", "ada@build-7", roll.id],
    );
    assert.deepEqual(said, []);
  });

  it("whose gate fails leaves a rejection with the reason, and not the container's log", async () => {
    const roll = await start();
    const image = `${repository()}@${digest}`;
    const error = `service server: shop-test-server exited with code 7\n  image ${image}\n  its last lines:\n  | password=x`;
    await roll.failed(new Error(error), context);
    const { rejected } = await ledger.findings("server", digest);
    assert.equal(rejected?.reason, "shop-test-server exited with code 7");
    const receipt = await find(roll.id);
    assert.deepEqual(
      [receipt?.outcome, receipt?.reason],
      ["rejected", "server: shop-test-server exited with code 7"],
    );
  });

  it("whose image cannot be had leaves a rejection where that cannot get better, and else none", async () => {
    const gone = await start();
    await gone.failed(new Error("manifest unknown"), context, `${repository()}@${digest}`);
    assert.equal((await ledger.findings("server", digest)).rejected?.reason, "manifest unknown");
    const seed = randomBytes(6).toString("hex");
    ({ digest } = await pushImage({ host: real.host, repository: "shop/server" }, { flavour: "oci", seed }));
    const slow = await start();
    await slow.failed(new Error("i/o timeout"), context, `${repository()}@${digest}`);
    assert.deepEqual(await ledger.findings("server", digest), {});
    assert.deepEqual(await find(slow.id).then((receipt) => [receipt?.outcome, receipt?.reason]), [
      "failed",
      "i/o timeout",
    ]);
  });

  it("that is cancelled says nothing about the image", async () => {
    const roll = await start();
    cancel.abort(new Error("the update was cancelled"));
    await roll.failed(new Error("anything"), { ...context, signal: cancel.signal });
    assert.equal((await find(roll.id))?.outcome, "cancelled");
    assert.deepEqual(await ledger.findings("server", digest), {});
  });

  it("rejects nothing that did well before and has not changed", async () => {
    const roll = await start(beginning(), { isMoved: false, isNew: false });
    await roll.rejected([{ service: "server", reason: "no database" }], context);
    assert.deepEqual(await ledger.findings("server", digest), {});
    assert.equal((await find(roll.id))?.outcome, "failed");
  });

  it("closes the receipts of those that were cut short, and not a watcher's", async () => {
    const [cut, watched] = [beginning(), { ...beginning(), via: "watcher" as const }];
    await Promise.all([ledger.record(cut), ledger.record(watched)]);
    const roll = await start();
    await roll.healthy(context);
    const closed = await find(cut.id);
    assert.deepEqual(
      [closed?.outcome, closed?.reason],
      ["failed", "it was cut short, or failed before anything of it could be judged"],
    );
    assert.equal((await find(watched.id))?.outcome, "rolling");
  });

  it("goes on without the permission to write, and says once what is missing", async () => {
    door.fault = ({ request, response, pass }) =>
      request.method === "PUT" || request.method === "POST"
        ? give(response, {
            status: 403,
            headers: { "content-type": "application/json" },
            body: Buffer.from('{"errors":[{"code":"DENIED","message":"denied"}]}'),
          })
        : pass();
    const roll = await start();
    roll.begin(context);
    await roll.healthy(context);
    assert.equal(said.length, 1, said.join("\n"));
    assert.match(
      said[0] ?? "",
      /^warning: what came of this roll could not be written down in the registry: .*It takes the permission to push/,
    );
  });

  it("is nobody's business while a watcher rolls, nor is an image that is not of it", async () => {
    await start();
    assert.equal(await handRoll(`${repository()}/edge@${digest}`), undefined);
    offer({ credentials: {}, role: "watcher" });
    assert.equal(await handRoll(), undefined);
  });
});
