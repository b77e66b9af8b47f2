// The provider as the engine talks to it: real gRPC, handlers of the test's own.
import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import * as rpc from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import * as empty from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { changedKeys, type Handler, type Properties, unknown } from "../../../provider/handler";
import { type Handlers, serve } from "../../../provider/server";

const urn = "urn:pulumi:dev::shop::tagalong:index:Environment$tagalong:index:Thing::dev";

describe("The provider", () => {
  const calls: [what: string, ...with_: unknown[]][] = [];
  const thing: Handler<Properties, Properties> = {
    replaceOn: ["place"],
    ignore: ["patience"],
    async preview(inputs, old) {
      calls.push(["preview", inputs, old]);
      if (inputs["size"] === -1) throw new Error("size: -1 is too small");
      return {};
    },
    async verify(state) {
      if (state["size"] === 404) throw new Error("it is not here");
    },
    async create(inputs, { signal }) {
      calls.push(["create", inputs]);
      if (inputs["size"] === Number.MAX_SAFE_INTEGER)
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      return { id: "one", outputs: { made: true, left: undefined } };
    },
    async update(id, inputs, old) {
      calls.push(["update", id, inputs, old]);
      return { made: "again" };
    },
    async read(_id, state) {
      return state["size"] === 0 ? undefined : { ...state, size: 5 };
    },
  };
  /** One that decides by itself which inputs count, what has changed, and what can be adopted. */
  const knowing: Handler<Properties, Properties> = {
    async check(inputs, old) {
      return old ? { ...inputs, place: old["place"] } : inputs;
    },
    async changed(inputs, old) {
      if (inputs["files"] !== undefined) {
        return [
          { path: 'files["a/b.yml"]', kind: "add" },
          { path: 'files["c.d"]', kind: "delete" },
        ];
      }
      return inputs["size"] === old["made"] ? [] : ["size"];
    },
    async create() {
      return { id: "one", outputs: {} };
    },
    async update() {
      return {};
    },
    async import(id) {
      return { id: "one", inputs: { size: Number(id) }, outputs: { made: Number(id) } };
    },
  };
  let client: rpc.ResourceProviderClient;
  let stop: () => void;
  let configured: Properties = {};

  before(async () => {
    const served = await serve({
      handlers: {
        "tagalong:index:Thing": thing,
        "tagalong:index:Knowing": knowing,
      } as unknown as Handlers,
      version: "1.2.3",
      engineAddress: undefined,
      onConfigure: (inputs) => {
        configured = inputs;
      },
    });
    stop = served.stop;
    client = new rpc.ResourceProviderClient(`127.0.0.1:${served.port}`, grpc.credentials.createInsecure());
  });
  beforeEach(() => calls.splice(0));
  after(() => {
    client.close();
    stop();
  });

  const struct = (properties: Properties) =>
    Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
  const read = (of: Struct | undefined) => of?.toJavaScript() as Properties;
  const call = <Request, Response>(
    method: (
      request: Request,
      done: (error: grpc.ServiceError | null, response: Response) => void,
    ) => unknown,
    request: Request,
  ) =>
    new Promise<Response>((resolve, reject) => {
      method.call(client, request, (error, response) => (error ? reject(error) : resolve(response)));
    });

  async function create(inputs: Properties, preview = false, of = urn): Promise<pb.CreateResponse> {
    const request = new pb.CreateRequest();
    request.setUrn(of);
    request.setProperties(struct(inputs));
    request.setPreview(preview);
    return call<pb.CreateRequest, pb.CreateResponse>(client.create, request);
  }
  async function update(olds: Properties, news: Properties, preview = false): Promise<Properties> {
    const request = new pb.UpdateRequest();
    request.setId("one");
    request.setUrn(urn);
    request.setOlds(struct(olds));
    request.setNews(struct(news));
    request.setPreview(preview);
    const response = await call<pb.UpdateRequest, pb.UpdateResponse>(client.update, request);
    return read(response.getProperties());
  }
  async function diff(olds: Properties, news: Properties, of = urn): Promise<pb.DiffResponse> {
    const request = new pb.DiffRequest();
    request.setUrn(of);
    request.setOldInputs(struct(olds));
    request.setOlds(struct(olds));
    request.setNews(struct(news));
    return call<pb.DiffRequest, pb.DiffResponse>(client.diff, request);
  }

  it("learns where the program's session is, and supports previews", async () => {
    const request = new pb.ConfigureRequest();
    request.setArgs(struct({ session: "/tmp/session" }));
    const response = await call<pb.ConfigureRequest, pb.ConfigureResponse>(client.configure, request);
    assert.deepEqual(configured, { session: "/tmp/session" });
    assert.equal(response.getSupportspreview(), true);
    assert.equal(response.getAcceptsecrets(), false);
  });

  it("goes by the program's session, though it is configured with the state's", async () => {
    const check = new pb.CheckRequest();
    check.setNews(struct({ session: "/tmp/now" }));
    await call<pb.CheckRequest, pb.CheckResponse>(client.checkConfig, check);
    const request = new pb.ConfigureRequest();
    request.setArgs(struct({ session: "/tmp/before" }));
    await call<pb.ConfigureRequest, pb.ConfigureResponse>(client.configure, request);
    assert.deepEqual(configured, { session: "/tmp/now" });
  });

  it("creates with the inputs and keeps them in the state beside what came of it", async () => {
    const response = await create({ size: 1, list: [{ a: "x" }] });
    assert.equal(response.getId(), "one");
    assert.deepEqual(read(response.getProperties()), { size: 1, list: [{ a: "x" }], made: true });
  });

  it("previews without making anything, and refuses what an update would refuse", async () => {
    assert.deepEqual(read((await create({ size: unknown }, true)).getProperties()), { size: unknown });
    await assert.rejects(create({ size: -1 }, true), { details: "size: -1 is too small" });
    assert.deepEqual(
      calls.map(([what]) => what),
      ["preview", "preview"],
    );
  });

  it("previews an update with the old outputs, unless something is not known yet", async () => {
    const olds = { size: 1, made: true };
    assert.deepEqual(await update(olds, { size: 2 }, true), { size: 2, made: true });
    assert.deepEqual(await update(olds, { size: { in: [unknown] } }, true), { size: { in: [unknown] } });
    assert.deepEqual(calls[0], ["preview", { size: 2 }, olds]);
  });

  it("updates with id, inputs and what was there", async () => {
    assert.deepEqual(await update({ size: 1, made: true }, { size: 2 }), { size: 2, made: "again" });
    assert.deepEqual(calls, [["update", "one", { size: 2 }, { size: 1, made: true }]]);
  });

  it("tells what changed, what of it needs a new one, and what does not count", async () => {
    const { DIFF_NONE, DIFF_SOME } = pb.DiffResponse.DiffChanges;
    const old = { size: 1, place: "here", patience: 1 };
    const none = await diff(old, { ...old, patience: 2 });
    assert.deepEqual([none.getChanges(), none.getDiffsList()], [DIFF_NONE, []]);
    const some = await diff(old, { ...old, size: unknown });
    assert.deepEqual(
      [some.getChanges(), some.getDiffsList(), some.getReplacesList()],
      [DIFF_SOME, ["size"], []],
    );
    assert.deepEqual((await diff(old, { ...old, place: "there" })).getReplacesList(), ["place"]);
  });

  it("compares nothing with what is not there", () =>
    assert.rejects(diff({ size: 404 }, { size: 404 }), { details: "it is not here" }));

  it("reads what is there now into inputs and state, and tells what is gone", async () => {
    const request = new pb.ReadRequest();
    request.setId("one");
    request.setUrn(urn);
    request.setInputs(struct({ size: 1 }));
    request.setProperties(struct({ size: 1, made: true }));
    const found = await call<pb.ReadRequest, pb.ReadResponse>(client.read, request);
    assert.deepEqual(read(found.getInputs()), { size: 5 });
    assert.deepEqual(read(found.getProperties()), { size: 5, made: true });
    request.setProperties(struct({ size: 0 }));
    const gone = await call<pb.ReadRequest, pb.ReadResponse>(client.read, request);
    assert.equal(gone.getId(), "");
  });

  const knowingUrn = urn.replace("Thing", "Knowing");

  it("takes the inputs that a resource says count, of an old one and of a new one", async () => {
    const check = async (news: Properties, olds?: Properties) => {
      const request = new pb.CheckRequest();
      request.setUrn(knowingUrn);
      request.setNews(struct(news));
      if (olds) request.setOlds(struct(olds));
      return read((await call<pb.CheckRequest, pb.CheckResponse>(client.check, request)).getInputs());
    };
    assert.deepEqual(await check({ size: 1, place: "there" }), { size: 1, place: "there" });
    assert.deepEqual(await check({ size: 1, place: "there" }, { size: 2, place: "here" }), {
      size: 1,
      place: "here",
    });
  });

  it("asks a resource what has changed that compares with what is there", async () => {
    const { DIFF_NONE, DIFF_SOME } = pb.DiffResponse.DiffChanges;
    const none = await diff({ size: 1, made: 2 }, { size: 2 }, knowingUrn);
    assert.equal(none.getChanges(), DIFF_NONE);
    const some = await diff({ size: 1, made: 2 }, { size: 1 }, knowingUrn);
    assert.deepEqual([some.getChanges(), some.getDiffsList()], [DIFF_SOME, ["size"]]);
  });

  it("names the parts of an input that change, and how", async () => {
    const some = await diff({ size: 1, made: 1 }, { size: 1, files: {} }, knowingUrn);
    assert.deepEqual(some.getDiffsList(), ["files"]);
    assert.equal(some.getHasdetaileddiff(), true);
    const { ADD, DELETE } = pb.PropertyDiff.Kind;
    assert.deepEqual(
      some
        .getDetaileddiffMap()
        .toArray()
        .map(([path]) => [path, some.getDetaileddiffMap().get(path)?.getKind()]),
      [
        ['files["a/b.yml"]', ADD],
        ['files["c.d"]', DELETE],
      ],
    );
  });

  it("adopts by an id what can be adopted, and refuses anything else", async () => {
    const adopt = (of: string) => {
      const request = new pb.ReadRequest();
      request.setId("7");
      request.setUrn(of);
      return call<pb.ReadRequest, pb.ReadResponse>(client.read, request);
    };
    const adopted = await adopt(knowingUrn);
    assert.equal(adopted.getId(), "one");
    assert.deepEqual(read(adopted.getInputs()), { size: 7 });
    assert.deepEqual(read(adopted.getProperties()), { size: 7, made: 7 });
    await assert.rejects(adopt(urn), { details: /^this resource cannot be imported/ });
  });

  it("deletes what has nothing to delete without complaint", async () => {
    const request = new pb.DeleteRequest();
    request.setUrn(urn);
    await call<pb.DeleteRequest, empty.Empty>(client.delete, request);
  });

  it("names a resource that it does not have", async () => {
    const stranger = urn.replace("Thing", "Nothing");
    await assert.rejects(create({}, false, stranger), {
      details: 'the provider "tagalong" has no resource "tagalong:index:Nothing"',
    });
  });

  it("stops what waits when the update is cancelled", async () => {
    const waiting = create({ size: Number.MAX_SAFE_INTEGER });
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([
      assert.rejects(waiting, { details: "the update was cancelled" }),
      call<empty.Empty, empty.Empty>(client.cancel, new empty.Empty()),
    ]);
  });
});

describe("A change of inputs", () => {
  const table: [what: string, before: Properties, after: Properties, changed: string[]][] = [
    ["is none in another order of keys", { a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, a: 1 }, []],
    ["is one in another order of a list", { a: [1, 2] }, { a: [2, 1] }, ["a"]],
    ["counts what comes and goes", { a: 1 }, { b: 1 }, ["a", "b"]],
    ["does not count what the engine adds for itself", { __defaults: [] }, { a: 1 }, ["a"]],
    ["does not count what is ignored", { a: 1, quiet: 1 }, { a: 1, quiet: 2 }, []],
  ];
  for (const [what, before, after, changed] of table) {
    it(what, () => assert.deepEqual(changedKeys(before, after, ["quiet"]), changed));
  }
});
