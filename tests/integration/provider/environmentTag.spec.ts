// EnvironmentTag with a real registry, and one that breaks in the middle: every tag carries the release or none does, and
// doing it again completes what was begun.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { environmentTag, type TaggedImage } from "../../../provider/environmentTag";
import type { Context } from "../../../provider/handler";
import { joinSession, offer } from "../../../provider/session";
import { type FaultyRegistry, give, type Hostage, startFaultyRegistry } from "../registry/faulty";
import { digestOf, pushImage, pushIndex, types } from "../registry/images";
import { type RealRegistry, startRealRegistry } from "../registry/real-registry";

/** Each image of the release is of another kind, and the third is in another repository than its tag. */
const kinds = {
  client: (to: { host: string; repository: string }, seed: string) =>
    pushImage(to, { flavour: "docker", seed }),
  server: (to: { host: string; repository: string }, seed: string) =>
    pushIndex(to, { flavour: "docker", seed }),
  worker: (to: { host: string; repository: string }, seed: string) => pushIndex(to, { flavour: "oci", seed }),
};
const images = Object.keys(kinds) as (keyof typeof kinds)[];
type Digests = Record<string, string>;

describe("The tags of an environment", function () {
  this.timeout(240_000);

  let real: RealRegistry;
  let door: FaultyRegistry;
  const said: string[] = [];
  const context: Context = {
    signal: new AbortController().signal,
    log: (severity, message) => void said.push(`${severity}: ${message}`),
  };
  const source = (image: string) => (image === "worker" ? "build/worker" : `shop/${image}`);

  before(async () => {
    real = await startRealRegistry();
    joinSession(offer({ credentials: {}, role: "hand" }));
  });
  after(async () => {
    joinSession("");
    await real.close();
  });
  beforeEach(async () => {
    said.splice(0);
    door = await startFaultyRegistry(real.host);
  });
  afterEach(() => door.close());

  /** A release of all images; of what is pushed, no tag leads to it. */
  async function release(): Promise<Digests> {
    const pushed = images.map(async (image) => {
      const to = { host: real.host, repository: source(image) };
      const { digest } = await kinds[image](to, `${image} ${randomBytes(6).toString("hex")}`);
      return [image, digest];
    });
    return Object.fromEntries(await Promise.all(pushed));
  }
  const inputs = (digests: Digests, tag: string, through = door) => ({
    release: "1.4.2",
    images: Object.fromEntries(
      Object.entries(digests).map(([image, digest]): [string, TaggedImage] => [
        image,
        { source: `${through.host}/${source(image)}`, tag: `${through.host}/shop/${image}:${tag}`, digest },
      ]),
    ),
  });
  /** What the registry itself says that the tags carry. */
  async function carried(tag: string): Promise<Digests> {
    const found = images.map(async (image) => {
      const accept = Object.values(types).flatMap(({ manifest, index }) => [manifest, index]);
      const response = await fetch(`http://${real.host}/v2/shop/${image}/manifests/${tag}`, {
        method: "HEAD",
        headers: { accept: accept.join(", ") },
      });
      return [image, response.headers.get("docker-content-digest") ?? ""];
    });
    return Object.fromEntries(await Promise.all(found));
  }
  const writes = (of = door) => of.log.filter((line) => !/^(GET|HEAD) /.test(line));

  it("move to a release with its digests, whatever kind the images are and wherever they are", async () => {
    const [older, newer] = [await release(), await release()];
    const made = await environmentTag.create(inputs(older, "test"), context);
    assert.deepEqual(made.outputs, { carried: older });
    assert.deepEqual(await carried("test"), older);
    assert.match(said.join("\n"), /client: \S+\/shop\/client:test moved from nothing to sha256:/);
    const state = { ...inputs(older, "test"), ...made.outputs };
    await environmentTag.update("tag", inputs(newer, "test"), state, context);
    assert.deepEqual(await carried("test"), newer);
    assert(
      writes().every((line) => !/blobs\/uploads\/[^?]/.test(line)),
      "no layer travels",
    );
  });

  it("are written to in the last step alone: all that can be refused comes before", async () => {
    const digests = await release();
    await environmentTag.create(inputs(digests, "last"), context);
    const moves = writes().map((line) => line.includes("/manifests/last"));
    assert.deepEqual(moves.slice(-3), [true, true, true]);
    assert(!moves.slice(0, -3).includes(true));
  });

  it("move to nothing that is incomplete: an index that has lost one of its images", async () => {
    const digests = await release();
    const mediaType = types.oci.index;
    const manifests = [{ mediaType: types.oci.manifest, digest: `sha256:${"0".repeat(64)}`, size: 7 }];
    const broken = { schemaVersion: 2, mediaType, manifests };
    // The real registry does not take it, so it is the proxy's own.
    const bytes = Buffer.from(JSON.stringify(broken));
    const digest = digestOf(bytes);
    door.fault = ({ request, response, pass }) =>
      request.url?.endsWith(digest)
        ? give(response, { status: 200, headers: { "content-type": mediaType }, body: bytes })
        : pass();
    await assert.rejects(environmentTag.create(inputs({ ...digests, server: digest }, "broken"), context), {
      message: /^no tag was moved:\n {2}server: \S+@sha256:0{64}: the registry has no such/,
    });
    assert.deepEqual(await carried("broken"), { client: "", server: "", worker: "" });
  });

  it("stay where they are without the permission to push, which is named", async () => {
    const [older, newer] = [await release(), await release()];
    await environmentTag.create(inputs(older, "forbidden"), context);
    door.fault = ({ request, response, pass }) =>
      request.method === "PUT" && request.url?.startsWith("/v2/shop/server/")
        ? give(response, {
            status: 403,
            headers: { "content-type": "application/json" },
            body: Buffer.from('{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}'),
          })
        : pass();
    const state = { ...inputs(older, "forbidden"), carried: older };
    await assert.rejects(
      environmentTag.update("tag", inputs(newer, "forbidden"), state, context),
      (error: Error) => {
        assert.match(error.message, /^no tag was moved:\n {2}server: .*no permission to write \(HTTP 403\)/);
        assert.match(error.message, /It takes the permission to push to \S+\/shop\/server/);
        return true;
      },
    );
    assert.deepEqual(await carried("forbidden"), older);
  });

  const ways: [how: string, fault: (hostage: Hostage) => Promise<void>][] = [
    ["hangs up at", async ({ response }) => void response.destroy()],
    [
      "does, and then hangs up without an answer to,",
      async ({ response, truth }) => {
        await truth();
        response.destroy();
      },
    ],
  ];
  for (const [how, fault] of ways) {
    it(`all move or none, when the registry ${how} one request, whichever it is; the next time all do`, async () => {
      const [older, newer] = [await release(), await release()];
      await environmentTag.create(inputs(older, "count"), context);
      const before = door.log.length;
      await environmentTag.update(
        "tag",
        inputs(newer, "count"),
        { ...inputs(older, "count"), carried: older },
        context,
      );
      const requests = door.log.length - before;
      assert(requests > 25, `${requests} requests`);
      for (let failing = 0; failing < requests; failing++) {
        // In another repository each time, so that nothing of it is there already.
        const [through, tag] = [
          await startFaultyRegistry(real.host),
          `t${failing}-${randomBytes(3).toString("hex")}`,
        ];
        const state = { ...inputs(older, tag, through), carried: older };
        await environmentTag.create(inputs(older, tag, through), context);
        const start = through.log.length;
        through.fault = (hostage) =>
          through.log.length - start === failing + 1 ? fault(hostage) : hostage.pass();
        const outcome = await environmentTag.update("tag", inputs(newer, tag, through), state, context).then(
          () => "moved",
          (error: Error) => error.message,
        );
        assert.deepEqual(
          await carried(tag),
          outcome === "moved" ? newer : older,
          `request ${failing}: ${outcome}`,
        );
        through.fault = undefined;
        await environmentTag.update("tag", inputs(newer, tag, through), state, context);
        assert.deepEqual(await carried(tag), newer, `after request ${failing}`);
        await through.close();
      }
    });
  }

  it("are told one by one when the registry is gone for good, and all move when it is back", async () => {
    const [older, newer] = [await release(), await release()];
    // All that is written by several at once is what each of them tries until it is cut off.
    const cases: { through: FaultyRegistry; tag: string; outcome?: string }[] = [];
    for (let failing = 0; failing < 40; failing++) {
      const [through, tag] = [await startFaultyRegistry(real.host), `gone${failing}`];
      await environmentTag.create(inputs(older, tag, through), context);
      cases.push({ through, tag });
    }
    await Promise.all(
      cases.map(async (one, failing) => {
        const { through, tag } = one;
        const start = through.log.length;
        let isDead = false;
        through.fault = async (hostage) => {
          isDead ||= through.log.length - start > failing;
          if (isDead) hostage.response.destroy();
          else await hostage.pass();
        };
        const state = { ...inputs(older, tag, through), carried: older };
        one.outcome = await environmentTag.update("tag", inputs(newer, tag, through), state, context).then(
          () => "moved",
          (error: Error) => error.message,
        );
      }),
    );
    assert(cases.some(({ outcome }) => /Some could not be put back/.test(outcome ?? "")));
    for (const { through, tag, outcome = "" } of cases) {
      const now = await carried(tag);
      for (const image of images) {
        if (outcome === "moved") assert.equal(now[image], newer[image]);
        else if (now[image] !== older[image])
          assert.match(
            outcome,
            new RegExp(`${image}: \\S+ it may carry ${newer[image]} instead of ${older[image]}`),
          );
      }
      through.fault = undefined;
      // Somebody looks in between, as after an update that was cut short.
      const state = { ...inputs(older, tag, through), carried: older };
      const seen = (await environmentTag.read?.("tag", state, context)) ?? state;
      await environmentTag.update("tag", inputs(newer, tag, through), seen, context);
      assert.deepEqual(await carried(tag), newer);
      await through.close();
    }
  });

  it("are found out to have moved behind our back, in a refresh and without one", async () => {
    const [older, newer] = [await release(), await release()];
    const of = inputs(older, "moved");
    await environmentTag.create(of, context);
    const state = { ...of, carried: older };
    assert.deepEqual(await environmentTag.changed?.(of, state, context), []);
    await environmentTag.create(inputs({ client: newer["client"] ?? "" }, "moved"), context);
    assert.deepEqual(await environmentTag.changed?.(of, state, context), ["images"]);
    assert.deepEqual((await environmentTag.read?.("tag", state, context))?.carried, {
      ...older,
      client: newer["client"],
    });
    assert.match(
      said.at(-1) ?? "",
      new RegExp(
        `^warning: client: \\S+:moved was led to ${older["client"]} and carries ${newer["client"]}: `,
      ),
    );
    await environmentTag.preview?.(of, state, context);
    assert.match(
      said.join("\n"),
      new RegExp(`client: \\S+ moves from ${newer["client"]} to ${older["client"]}`),
    );
    assert.match(said.join("\n"), new RegExp(`server: \\S+ carries ${older["server"]} already`));
  });

  it("are left as they were last seen by a refresh that the registry does not answer", async () => {
    const older = await release();
    const state = { ...inputs(older, "silent"), carried: older };
    door.fault = ({ response }) => void response.destroy();
    assert.deepEqual((await environmentTag.read?.("tag", state, context))?.carried, older);
    assert.match(said.join("\n"), /warning: \S+\/shop\/client:silent: .*; it is left as it was last seen/);
  });

  it("are adopted by their names, and refused by what is none", async () => {
    const older = await release();
    await environmentTag.create(inputs(older, "adopted"), context);
    const names = images.map((image) => `${image}=${door.host}/shop/${image}:adopted`);
    const adopted = await environmentTag.import?.(names.join(","), context);
    assert.deepEqual(adopted?.outputs, { carried: older });
    assert.equal(adopted?.inputs.release, "");
    assert.deepEqual(adopted?.inputs.images["client"], {
      source: `${door.host}/shop/client`,
      tag: `${door.host}/shop/client:adopted`,
      digest: older["client"],
    });
    await assert.rejects(async () => environmentTag.import?.(`client=${door.host}/shop/client`, context), {
      message: /names no image's tag: write IMAGE=REPOSITORY:TAG for each image, joined by commas/,
    });
    await assert.rejects(
      async () => environmentTag.import?.(`client=${door.host}/shop/client:none`, context),
      {
        message: /the registry has no such tag/,
      },
    );
  });

  it("stay when the environment goes, and that is said", async () => {
    const older = await release();
    await environmentTag.create(inputs(older, "stays"), context);
    const [asked] = [door.log.length];
    await environmentTag.delete?.("tag", { ...inputs(older, "stays"), carried: older }, context);
    assert.equal(door.log.length, asked);
    assert.match(said.at(-1) ?? "", /^info: .*client:stays, .* stay as they are: other environments/);
  });

  it("are moved by nobody while a watcher rolls, whatever its config says", async () => {
    const older = await release();
    joinSession(offer({ credentials: {}, role: "watcher" }));
    try {
      const of = inputs(older, "watched");
      assert.deepEqual(await environmentTag.check?.(of, undefined, context), { release: "", images: {} });
      const old = inputs(older, "before");
      assert.deepEqual(await environmentTag.check?.(of, { ...old, release: "1.0.0" }, context), {
        release: "1.0.0",
        images: old.images,
      });
      const nothing = { release: "", images: {} };
      assert.deepEqual(await environmentTag.changed?.(old, { ...old, carried: {} }, context), []);
      await environmentTag.create(nothing, context);
      assert.deepEqual(door.log, []);
    } finally {
      offer({ credentials: {}, role: "hand" });
    }
  });
});
