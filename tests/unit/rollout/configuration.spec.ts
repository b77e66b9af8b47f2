import assert from "node:assert/strict";
import { configurationIn, configurationOf } from "../../../rollout/configuration";

describe("The configuration that a verdict is bound to", () => {
  const service = { image: "server", port: 8080, env: { A: "1", B: "2" }, volumes: { data: "/data" } };
  const secrets = ["v1:abc"];

  it("is 16 hexadecimal digits", () => {
    assert.match(configurationOf([service], secrets), /^[0-9a-f]{16}$/);
  });

  it("is the same wherever a key stands in the file", () => {
    const other = { volumes: { data: "/data" }, env: { B: "2", A: "1" }, port: 8080, image: "server" };
    assert.equal(configurationOf([other], secrets), configurationOf([service], secrets));
  });

  it("is the same where a key has no value and where it is missing", () => {
    assert.equal(configurationOf([{ ...service, health: undefined }]), configurationOf([service]));
  });

  const others: [string, string][] = [
    ["a variable", configurationOf([{ ...service, env: { A: "1", B: "3" } }], secrets)],
    ["a secret", configurationOf([service], ["v1:abd"])],
    ["the order of a list", configurationOf([{ ...service, command: ["b", "a"] }], secrets)],
    ["another service of the image", configurationOf([service, service], secrets)],
    ["a service's text that looks like a secret's", configurationOf([service, "v1:abc"])],
  ];
  for (const [name, other] of others) {
    it(`is another with ${name}`, () => {
      assert.notEqual(other, configurationOf([{ ...service, command: ["a", "b"] }], secrets));
      assert.notEqual(other, configurationOf([service], secrets));
    });
  }

  it("is of the services that run the image, and of the secrets that they read", () => {
    const [web, worker, other] = [
      { image: "server", secrets: ["A"] },
      { image: "server", secrets: [] },
      { image: "client", secrets: ["B"] },
    ];
    const texts = { A: "v1:a", B: "v1:b", C: "v1:c" };
    const config = { services: { web, other, worker } };
    assert.equal(configurationIn(config, "server", texts), configurationOf([web, worker], ["v1:a"]));
    assert.equal(configurationIn(config, "client", texts), configurationOf([other], ["v1:b"]));
  });
});
