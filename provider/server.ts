// The provider's side of Pulumi's plugin protocol (proto/pulumi/provider.proto): answers the engine with the handlers.
// It speaks to the generated stubs instead of loading the whole SDK, since starting is on the path of every roll.

import * as grpc from "@grpc/grpc-js";
import * as engineRpc from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as engine from "@pulumi/pulumi/proto/engine_pb";
import * as pluginPb from "@pulumi/pulumi/proto/plugin_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import * as empty from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import {
  type Context,
  changedKeys,
  type Handler,
  type Properties,
  type PropertyChange,
  unknown,
} from "./handler";

export type Handlers = Record<string, Handler<never, never>>;
type AnyHandler = Handler<Properties, Properties>;

const read = (struct: Struct | undefined): Properties => (struct?.toJavaScript() ?? {}) as Properties;
const write = (properties: Properties): Struct =>
  // A round trip through JSON drops undefined members, which a Struct cannot hold.
  Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, JavaScriptValue>);

const detailKinds = { add: "ADD", update: "UPDATE", delete: "DELETE" } as const;

/** The input that a change is of. */
const inputOf = (change: string | PropertyChange): string =>
  typeof change === "string" ? change : (/^[^.[]+/.exec(change.path)?.[0] ?? change.path);

const known = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.every(known)
    : typeof value === "object" && value !== null
      ? Object.values(value).every(known)
      : value !== unknown;

/**
 * Starts the provider on a free loopback port.
 * @returns the port, which the engine reads from the first line of standard output, and a function that ends it.
 */
export async function serve(options: {
  handlers: Handlers;
  version: string;
  engineAddress: string | undefined;
  /** Called with the provider's own inputs: the program's, where there is one, and else the state's. */
  onConfigure: (inputs: Properties) => void;
}): Promise<{ port: number; stop: () => void }> {
  const cancelled = new AbortController();
  let isChecked = false;
  let engineClient: engineRpc.EngineClient | undefined;
  const connect = (address: string) => {
    engineClient = new engineRpc.EngineClient(address, grpc.credentials.createInsecure());
  };
  if (options.engineAddress) connect(options.engineAddress);

  const handlerOf = (urn: string): AnyHandler => {
    const type = urn.split("::")[2]?.split("$").pop() ?? "";
    const handler = options.handlers[type];
    if (!handler) throw new Error(`the provider "tagalong" has no resource "${type}"`);
    return handler as unknown as AnyHandler;
  };
  const contextOf = (urn: string): Context => ({
    signal: cancelled.signal,
    log: (severity, message) => {
      const request = new engine.LogRequest();
      request.setUrn(urn);
      request.setMessage(message);
      request.setSeverity(severity === "info" ? engine.LogSeverity.INFO : engine.LogSeverity.WARNING);
      engineClient?.log(request, () => {});
    },
  });

  const answer =
    <Request, Response>(work: (request: Request) => Promise<Response> | Response) =>
    (call: grpc.ServerUnaryCall<Request, Response>, callback: grpc.sendUnaryData<Response>): void => {
      Promise.resolve()
        .then(() => work(call.request))
        .then((response) => callback(null, response))
        .catch((error: unknown) =>
          callback({
            code: grpc.status.UNKNOWN,
            details: error instanceof Error ? error.message : String(error),
          }),
        );
    };

  const service: Partial<rpc.IResourceProviderServer> = {
    checkConfig: answer((request: pb.CheckRequest) => {
      // What did not count as a change is configured as it was: only here does the program's own come by.
      isChecked = true;
      options.onConfigure(read(request.getNews()));
      const response = new pb.CheckResponse();
      response.setInputs(request.getNews());
      return response;
    }),
    diffConfig: answer(() => {
      const response = new pb.DiffResponse();
      response.setChanges(pb.DiffResponse.DiffChanges.DIFF_NONE);
      return response;
    }),
    configure: answer((request: pb.ConfigureRequest) => {
      if (!isChecked) options.onConfigure(read(request.getArgs()));
      const response = new pb.ConfigureResponse();
      response.setAcceptresources(false);
      response.setAcceptsecrets(false);
      response.setSupportspreview(true);
      return response;
    }),
    getPluginInfo: answer(() => {
      const response = new pluginPb.PluginInfo();
      response.setVersion(options.version);
      return response;
    }),
    getSchema: answer(() => {
      const response = new pb.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: "tagalong", version: options.version }));
      return response;
    }),
    attach: answer((request: pluginPb.PluginAttach) => {
      connect(request.getAddress());
      return new empty.Empty();
    }),
    cancel: answer(() => {
      cancelled.abort(new Error("the update was cancelled"));
      return new empty.Empty();
    }),
    check: answer(async (request: pb.CheckRequest) => {
      const handler = handlerOf(request.getUrn());
      const response = new pb.CheckResponse();
      response.setInputs(request.getNews());
      if (!handler.check) return response;
      const old = read(request.getOlds());
      const before = Object.keys(old).length > 0 ? old : undefined;
      const context = contextOf(request.getUrn());
      response.setInputs(write(await handler.check(read(request.getNews()), before, context)));
      return response;
    }),
    diff: answer(async (request: pb.DiffRequest) => {
      const handler = handlerOf(request.getUrn());
      const [old, news, context] = [
        read(request.getOlds()),
        read(request.getNews()),
        contextOf(request.getUrn()),
      ];
      await handler.verify?.(old, context);
      const all = handler.changed
        ? [...(await handler.changed(news, old, context))]
        : changedKeys(read(request.getOldInputs()), news, handler.ignore);
      const changed = [...new Set(all.map(inputOf))];
      const response = new pb.DiffResponse();
      response.setChanges(
        changed.length > 0 ? pb.DiffResponse.DiffChanges.DIFF_SOME : pb.DiffResponse.DiffChanges.DIFF_NONE,
      );
      response.setDiffsList(changed);
      response.setReplacesList(changed.filter((key) => handler.replaceOn?.includes(key)));
      for (const { path, kind } of all.filter((one) => typeof one !== "string")) {
        const detail = new pb.PropertyDiff();
        detail.setKind(pb.PropertyDiff.Kind[detailKinds[kind]]);
        detail.setInputdiff(true);
        response.getDetaileddiffMap().set(path, detail);
        response.setHasdetaileddiff(true);
      }
      return response;
    }),
    create: answer(async (request: pb.CreateRequest) => {
      const handler = handlerOf(request.getUrn());
      const inputs = read(request.getProperties());
      const context = contextOf(request.getUrn());
      const response = new pb.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(
          write({ ...inputs, ...(await handler.preview?.(inputs, undefined, context)) }),
        );
        return response;
      }
      const { id, outputs } = await handler.create(inputs, context);
      response.setId(id);
      response.setProperties(write({ ...inputs, ...outputs }));
      return response;
    }),
    update: answer(async (request: pb.UpdateRequest) => {
      const handler = handlerOf(request.getUrn());
      const inputs = read(request.getNews());
      const old = read(request.getOlds());
      const context = contextOf(request.getUrn());
      const outputs = request.getPreview()
        ? await handler.preview?.(inputs, old, context)
        : await handler.update(request.getId(), inputs, old, context);
      const response = new pb.UpdateResponse();
      response.setProperties(write({ ...(known(inputs) ? old : {}), ...inputs, ...outputs }));
      return response;
    }),
    read: answer(async (request: pb.ReadRequest) => {
      const handler = handlerOf(request.getUrn());
      const state = read(request.getProperties());
      const context = contextOf(request.getUrn());
      const response = new pb.ReadResponse();
      if (Object.keys(state).length === 0) {
        if (!handler.import) {
          throw new Error(
            "this resource cannot be imported: it is made by `pulumi up` and stands for nothing else",
          );
        }
        const { id, inputs, outputs } = await handler.import(request.getId(), context);
        response.setId(id);
        response.setInputs(write(inputs));
        response.setProperties(write({ ...inputs, ...outputs }));
        return response;
      }
      const found = handler.read ? await handler.read(request.getId(), state, context) : state;
      if (!found) return response;
      const inputs = read(request.getInputs());
      for (const key of Object.keys(inputs)) if (key in found) inputs[key] = found[key];
      response.setId(request.getId());
      response.setInputs(write(inputs));
      response.setProperties(write(found));
      return response;
    }),
    delete: answer(async (request: pb.DeleteRequest) => {
      const handler = handlerOf(request.getUrn());
      await handler.delete?.(request.getId(), read(request.getProperties()), contextOf(request.getUrn()));
      return new empty.Empty();
    }),
  };

  const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 1024 * 1024 });
  server.addService(rpc.ResourceProviderService, service as grpc.UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    stop: () => {
      cancelled.abort(new Error("the provider is being stopped"));
      server.forceShutdown();
    },
  };
}
