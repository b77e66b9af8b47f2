// What the components declare, seen by Pulumi's own mocks: options such as parents are invisible to them.
import assert from "node:assert/strict";
import { DockerEnvironment } from "../../../components/docker/environment";
import { revisionOf } from "../../../components/docker/service";
import type { EnvironmentConfig } from "../../../config";
import type { Release, ReleasedImage } from "../../../rollout/release";
import { environment, service } from "../config/given";
import { declared as declaredOn, digest, find, type Inputs, images, release } from "./declared";

const names = (seen: Map<string, Inputs>) => [...seen.keys()].sort();
/** Everything that such an environment declares on a Docker engine. */
const declared = (config: EnvironmentConfig, of?: Release, repository?: string) =>
  declaredOn(DockerEnvironment, config, of, repository);

describe("An environment's resources on a Docker engine", () => {
  const shop = environment({
    images,
    services: {
      server: { image: "server", port: 8080, health: { path: "/healthz" }, replicas: 2 },
      client: { image: "client", port: 80, publish: 8080, volumes: { data: "/data" } },
      worker: { image: "server", command: ["work"] },
    },
  });

  it("are one claim, tag, network, edge, gate, route and soak, and for each service an image and its replicas", async () => {
    const [server, client, worker] = ["server", "client", "worker"].map((name) => {
      const { image, ...config } = shop.services[name] as EnvironmentConfig["services"][string];
      return revisionOf({ image, ...config }, release[image]?.digest ?? "");
    });
    assert.deepEqual(
      names(await declared(shop)),
      [
        "Claim dev",
        `Container shop-dev-client-${client}-0`,
        `Container shop-dev-server-${server}-0`,
        `Container shop-dev-server-${server}-1`,
        `Container shop-dev-worker-${worker}-0`,
        "Container dev-edge",
        "DockerEnvironment dev",
        "DockerService dev-client",
        "DockerService dev-server",
        "DockerService dev-worker",
        "EnvironmentTag dev",
        "Gate dev",
        "Image dev-client",
        "Image dev-edge",
        "Image dev-server",
        "Image dev-worker",
        "Network dev",
        "Route dev",
        "Soak dev",
        "Volume dev-data",
        "Volume dev-edge-routes",
      ].sort(),
    );
  });

  it("are claimed by name and port before they are made", async () => {
    assert.deepEqual(find(await declared(shop), "Claim"), {
      environment: "shop/dev",
      networks: ["shop-dev"],
      containers: ["shop-dev-edge"],
      volumes: ["shop-dev-data", "shop-dev-edge-routes"],
      ports: [{ service: "client", address: "127.0.0.1", port: 8080 }],
    });
  });

  it("run by digest, locked up, on the environment's network and marked as its own", async () => {
    const client = find(await declared(shop), "Container shop-dev-client-");
    assert.deepEqual(client["labels"], [
      { label: "dev.tagalong.environment", value: "shop/dev" },
      { label: "dev.tagalong.claim", value: "c1a1" },
      { label: "dev.tagalong.service", value: "client" },
    ]);
    assert.equal(client["networkMode"], "shop-dev");
    assert.equal(client["readOnly"], true);
    assert.deepEqual(client["tmpfs"], { "/tmp": "" });
    assert.deepEqual(client["capabilities"], { drops: ["ALL"], adds: [] });
    assert.deepEqual(client["securityOpts"], ["no-new-privileges:true"]);
    assert.deepEqual(client["volumes"], [{ volumeName: "shop-dev-data", containerPath: "/data" }]);
    assert.equal(client["ports"], undefined);
  });

  it("pass one gate, which knows how to ask each service", async () => {
    const { services, network, edge, deadlineMs } = find(await declared(shop), "Gate") as {
      services: Record<string, { replicas: string[]; port?: number; path?: string }>;
    } & Inputs;
    assert.deepEqual(
      Object.entries(services).map(([name, { replicas, port, path }]) => [name, replicas.length, port, path]),
      [
        ["client", 1, 80, undefined],
        ["edge", 1, 9999, "/"],
        ["server", 2, 8080, "/healthz"],
        ["worker", 1, undefined, undefined],
      ],
    );
    assert.deepEqual([network, edge, deadlineMs], ["shop-dev", "id-of-dev-edge-and-more", 60_000]);
  });

  it("get their traffic by the start of their ids, which fits DNS however long their names are", async () => {
    const { upstreams } = find(await declared(shop), "Route") as { upstreams: Record<string, string[]> };
    assert.deepEqual(upstreams, {
      client: ["id-of-shop-d:80"],
      server: ["id-of-shop-d:8080", "id-of-shop-d:8080"],
    });
  });

  it("need no edge, route or port where no service listens", async () => {
    const seen = await declared(environment({ services: { worker: { image: "server" } } }));
    assert.deepEqual(
      names(seen).filter((name) => /edge|Route/.test(name)),
      [],
    );
    const { containers, ports } = find(seen, "Claim");
    assert.deepEqual([containers, ports], [[], []]);
  });

  it("have what the config gives a service: variables, secrets, limits, capabilities, user, command", async () => {
    const values = {
      env: { A: "1", B: "x=y" },
      secrets: ["KEY"],
      resources: { cpu: 0.5, memory: "100M" },
      capabilities: ["CHOWN"],
      user: 1000,
      command: ["serve", "--all"],
      readOnly: false,
      restart: "no",
    };
    const config = environment({
      services: { server: { image: "server", port: 8080, ...values } },
      secrets: { KEY: "hidden" },
    });
    const container = find(await declared(config), "Container shop-dev-server-");
    assert(
      JSON.stringify(container["envs"]).includes("4dabf18193072939515e22adb298388d"),
      "envs are a secret",
    );
    assert.deepEqual((container["envs"] as { value: string[] }).value, ["A=1", "B=x=y", "KEY=hidden"]);
    assert.equal(container["cpus"], "0.5");
    assert.equal(container["memory"], 96);
    assert.deepEqual(container["capabilities"], { drops: ["ALL"], adds: ["CAP_CHOWN"] });
    assert.equal(container["user"], "1000");
    assert.deepEqual(container["command"], ["serve", "--all"]);
    assert.equal(container["tmpfs"], undefined);
    assert.equal(container["restart"], "no");
  });

  it("have a watcher that knows the repository, where there is one", async () => {
    const watcher = { image: "ghcr.io/acme/tagalong:1", backend: "s3://acme-state", secrets: [] };
    const config = environment({ images, watcher });
    const uploads = async (repository: string) => {
      const { uploads } = find(await declared(config, release, repository), "Container dev-watcher");
      // A secret, since one of them is.
      return (uploads as { value: { file: string }[] }).value.map(({ file }) => file);
    };
    const always = ["/tagalong/Pulumi.yaml", "/tagalong/Pulumi.dev.yaml"];
    const secrets = "/run/tagalong/secrets.json";
    assert.deepEqual(await uploads("config: {}"), [...always, "/tagalong/Pulumi.repository.yaml", secrets]);
    assert.deepEqual(await uploads(""), [...always, secrets]);
  });

  it("are refused where no digest was decided for an image", () =>
    assert.rejects(
      declared(shop, { server: release["server"] as ReleasedImage }),
      /no digest was decided for the image client/,
    ));
});

describe("A container's revision", () => {
  const base = { image: "server", port: 8080, env: { A: "1" } };
  const of = (values: object, digit = "a") => revisionOf(service({ ...base, ...values }), digest(digit));
  const same: [string, object][] = [
    ["replicas", { replicas: 3 }],
    ["where it is published", { publish: 80 }],
    ["how it is asked", { health: { path: "/ready" } }],
    ["the port that the edge knows it by", { port: 9090 }],
  ];
  const other: [string, object][] = [
    ["a variable", { env: { A: "2" } }],
    ["a volume", { volumes: { data: "/data" } }],
    ["the command", { command: ["work"] }],
    ["limits", { resources: { memory: "64Mi" } }],
    ["capabilities", { capabilities: ["CHOWN"] }],
    ["the user", { user: "1000" }],
    ["the root file system", { readOnly: false }],
    ["the restart policy", { restart: "always" }],
  ];
  for (const [what, values] of same)
    it(`stays when ${what} ${what.endsWith("s") ? "change" : "changes"}`, () =>
      assert.equal(of(values), of({})));
  for (const [what, values] of other) it(`differs with ${what}`, () => assert.notEqual(of(values), of({})));
  it("differs with the digest", () => assert.notEqual(of({}, "b"), of({})));
});
