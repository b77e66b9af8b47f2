import assert from "node:assert/strict";
import { mistakes, service, serviceMistakes } from "./given";

describe("A service that is right", () => {
  it("gets the values of its variables verbatim", () => {
    const env = {
      QUOTES: "\"double\" 'single' `back`",
      LINES: "first\nsecond\r\n\tthird\n",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would expand
      DOLLARS: "$HOME $$ ${PATH} $(id)",
      BLANK: "  ",
      EMPTY: "",
      UNICODE: "žluťoučký 🐎",
      BACKSLASH: "C:\\new\\n",
    };
    assert.deepEqual(service({ env }).env, env);
  });

  it("gets numbers and booleans as text", () => {
    const { env } = service({ env: { PORT: 8080, RATIO: 0.5, DEBUG: true, QUIET: false, constructor: "x" } });
    assert.deepEqual(env, { PORT: "8080", RATIO: "0.5", DEBUG: "true", QUIET: "false", constructor: "x" });
  });

  it("is published on loopback unless an address is named", () => {
    assert.deepEqual(service({ publish: 8080 }).publish, { address: "127.0.0.1", port: 8080 });
    assert.deepEqual(service({ publish: "0.0.0.0:80" }).publish, { address: "0.0.0.0", port: 80 });
    assert.deepEqual(service({ publish: "[::]:80" }).publish, { address: "::", port: 80 });
    assert.deepEqual(service({ publish: "[FE80:0::1]:80" }).publish, { address: "fe80::1", port: 80 });
  });

  it("has its memory in bytes", () => {
    const memory = (text: string) => service({ resources: { memory: text } }).resources.memory;
    assert.deepEqual(
      ["256Mi", "1Gi", "512M", "8192Ki"].map(memory),
      [268_435_456, 1_073_741_824, 512_000_000, 8_388_608],
    );
  });

  it("may name its user by number, and mount a volume with a trailing slash", () => {
    assert.equal(service({ user: 1000 }).user, "1000");
    assert.deepEqual(service({ volumes: { data: "/var/lib/data/" } }).volumes, { data: "/var/lib/data" });
  });

  it("may be a worker without port that is asked on a port of its own", () => {
    assert.deepEqual(serviceMistakes({ port: undefined, health: { path: "/live", port: 9090 } }), []);
  });
});

describe("Services", () => {
  const one = { image: "server", port: 8080 };
  const named = (services: Record<string, unknown>) => mistakes({ services });

  it("have lowercase names", () => {
    assert.deepEqual(named({ Server: one }), [
      "tagalong:services.Server: names are lowercase — rename it to server",
    ]);
    assert.deepEqual(named({ Server: one, server: one }), [
      "tagalong:services.Server: differs from server only in case — rename or remove one of them",
    ]);
    assert.deepEqual(named({ "a.b": one }), [
      'tagalong:services["a.b"]: is no name — use lowercase letters, digits and "-", at most 40, starting with a letter and not ending with "-"',
    ]);
    assert.equal(named({ ["a".repeat(41)]: one, "1a": one, "a-": one, "": one }).length, 4);
    assert.deepEqual(named({ ["a".repeat(40)]: one, "a-1": one }), []);
  });

  it("leave the names edge and watcher to Tagalong", () => {
    assert.deepEqual(named({ edge: one, watcher: one }), [
      "tagalong:services.edge: the name is reserved for Tagalong's own edge — rename the service",
      "tagalong:services.watcher: the name is reserved for Tagalong's own watcher — rename the service",
    ]);
  });

  it("do not share a host port, and the message names both", () => {
    const clash = (a: unknown, b: unknown) => named({ a: { ...one, publish: a }, b: { ...one, publish: b } });
    const line = (address: string) => [
      `tagalong:services.b.publish: port 80 of ${address} is taken by tagalong:services.a.publish — choose another port or address`,
    ];
    assert.deepEqual(clash(80, 80), line("127.0.0.1"));
    assert.deepEqual(clash("0.0.0.0:80", 80), line("127.0.0.1"));
    assert.deepEqual(clash(80, "0.0.0.0:80"), line("0.0.0.0"));
    assert.deepEqual(clash("[::]:80", "10.0.0.1:80"), line("10.0.0.1"));
    assert.deepEqual(clash("[::0]:80", "[::]:80"), line("::"));
    assert.deepEqual(clash(80, 81), []);
    assert.deepEqual(clash(80, "10.0.0.1:80"), []);
    assert.deepEqual(clash("0.0.0.0:80", "[::1]:80"), []);
  });

  it("may share a volume", () => {
    assert.deepEqual(
      named({ a: { ...one, volumes: { data: "/a" } }, b: { ...one, volumes: { data: "/b" } } }),
      [],
    );
  });
});
