import assert from "node:assert/strict";
import { type EdgeService, edgeConfig, edgeHealthPort, edgePorts } from "../../../components/docker/edge";

interface Server {
  listen: string[];
  routes: {
    match?: { host: string[] }[];
    handle: { handler: string; upstreams?: { dial: string }[]; status_code?: number }[];
  }[];
}

const service = (name: string, port: number, more: Partial<EdgeService> = {}): EdgeService => ({
  name,
  port,
  replicas: 1,
  ...more,
});
const publish = (port: number, address = "127.0.0.1") => ({ publish: { address, port } });

function servers(services: EdgeService[]): Record<string, Server> {
  const config = edgeConfig(services) as { apps: { http: { servers: Record<string, Server> } } };
  return config.apps.http.servers;
}

describe("The edge's configuration", () => {
  it("tells services on one port apart by name, and answers 421 to a name that it does not know", () => {
    const inside = servers([service("server", 8080), service("client", 8080)])["inside-8080"];
    assert.deepEqual(inside?.listen, [":8080"]);
    assert.deepEqual(
      inside.routes.map(({ match, handle }) => [
        match?.[0]?.host,
        handle[0]?.handler,
        handle[0]?.status_code,
      ]),
      [
        [["server"], "reverse_proxy", undefined],
        [["client"], "reverse_proxy", undefined],
        [undefined, "static_response", 421],
      ],
    );
  });

  it("reads the upstreams of each service from files of its own", () => {
    const inside = servers([service("server", 8080, { replicas: 2 })])["inside-8080"];
    const dials = inside?.routes[0]?.handle[0]?.upstreams?.map(({ dial }) => dial);
    assert.equal(dials?.[0], "{file./routes/server.0}");
    assert.equal(dials?.[11], "{file./routes/server.11}");
  });

  it("stays as it is when a service is scaled, since a change would restart the edge", () => {
    const of = (replicas: number) => edgeConfig([service("server", 8080, { replicas, ...publish(80) })]);
    assert.deepEqual(of(1), of(12));
    assert.notDeepEqual(of(12), of(13));
  });

  it("publishes each service on a listener of its own, under any name", () => {
    const services = [
      service("api", 80, publish(8081, "0.0.0.0")),
      service("db", 90),
      service("web", 80, publish(8082)),
    ];
    assert.deepEqual(edgePorts(services), [
      { internal: 10000, external: 8081, ip: "0.0.0.0" },
      { internal: 10001, external: 8082, ip: "127.0.0.1" },
    ]);
    const all = servers(services);
    assert.deepEqual(all["published-web"]?.listen, [":10001"]);
    assert.equal(all["published-web"]?.routes[0]?.match, undefined);
    assert.equal(all["published-db"], undefined);
  });

  const tables: [what: string, services: EdgeService[]][] = [
    ["9999", [service("a", 9999)]],
    ["10000 and up", [service("a", 10000, publish(1)), service("b", 10001, publish(2))]],
    [
      "9999 to 10003",
      [9999, 10000, 10001, 10002, 10003].map((port) => service(`s${port}`, port, publish(port))),
    ],
  ];
  for (const [ports, services] of tables) {
    it(`keeps its own listeners out of the way of services on ${ports}`, () => {
      const listeners = Object.values(servers(services)).flatMap(({ listen }) => listen);
      assert.equal(new Set(listeners).size, listeners.length, listeners.join(" "));
      assert(listeners.includes(`:${edgeHealthPort(services)}`));
      for (const { internal } of edgePorts(services)) assert(listeners.includes(`:${internal}`));
    });
  }

  it("has no door for those who would change it while it runs", () => {
    assert.deepEqual((edgeConfig([]) as { admin: object }).admin, {
      disabled: true,
      config: { persist: false },
    });
  });
});
