import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ConfigError, validateConfig } from "../../../config";
import { environment, least, mistakes } from "./given";

const images = { server: { repository: "localhost:5000/shop/server" } };

describe("An environment's config", () => {
  it("has a default for everything but images and services", () => {
    assert.deepEqual(environment({}, "staging"), {
      keepVolumes: true,
      kubernetes: {},
      kind: "environment",
      stack: "staging",
      tag: "staging",
      engine: "docker",
      images: { server: { repository: { registry: "ghcr.io", repository: "acme/shop/server" } } },
      services: {
        server: {
          image: "server",
          port: 8080,
          env: {},
          secrets: [],
          volumes: {},
          replicas: 1,
          resources: {},
          restart: "unless-stopped",
          readOnly: true,
          capabilities: [],
        },
      },
      secrets: {},
      registries: {},
      rollout: {
        lockstep: true,
        deadline: 60_000,
        soak: 5_000,
        settle: 1_000,
        interval: 2_000,
        drain: 10_000,
        keep: 3,
      },
      edge: { image: { registry: "docker.io", repository: "library/caddy", tag: "2.11-alpine" } },
    });
  });

  it("is of a stack whose name fits into the tags of its verdicts", () => {
    const named = (stack: string) => mistakes({ tag: "dev" }, { stack });
    assert.deepEqual(named("a".repeat(47)), []);
    assert.deepEqual(named("a".repeat(48)), [
      "the stack's name: has 48 characters, and the tags of its verdicts have room for 47 — rename the stack: pulumi stack rename <a shorter name>",
    ]);
    assert.equal(`sha256-${"0".repeat(64)}.${"a".repeat(47)}.rejected`.length, 128);
  });

  it("has durations in milliseconds", () => {
    const { rollout } = environment({
      rollout: { deadline: "1h", soak: "0s", settle: "500ms", interval: "2m" },
    });
    assert.deepEqual(
      [rollout.deadline, rollout.soak, rollout.settle, rollout.interval],
      [3_600_000, 0, 500, 120_000],
    );
  });

  it("keeps what is configured", () => {
    const config = environment({
      tag: "edge",
      watcher: { image: "localhost:5000/tagalong", backend: "file:///state", secrets: ["PASS"] },
      secrets: { PASS: "x" },
    });
    assert.equal(config.tag, "edge");
    assert.deepEqual(config.watcher, {
      image: { registry: "localhost:5000", repository: "tagalong" },
      backend: "file:///state",
      secrets: ["PASS"],
    });
  });
});

describe("A release of the config", () => {
  const commit = `sha-${"0a".repeat(20)}`;
  const digest = `sha256:${"0a".repeat(32)}`;
  for (const release of ["1.4.2", "v1.4.2", "1.4.2-rc.1", "2026.11.21", commit, digest]) {
    it(`may be ${release}`, () => assert.equal(environment({ release }).release, release));
  }

  it("may have to be healthy elsewhere before, for a while", () => {
    const { rollout } = environment({ rollout: { after: "dev", for: "30m" } }, "test");
    assert.deepEqual([rollout.after, rollout.for], ["dev", 1_800_000]);
  });
});

describe("The repository's config", () => {
  it("has the repository and the images", () => {
    const config = validateConfig(
      { images, repository: { owner: "acme", name: "shop" } },
      { stack: "repository" },
    );
    assert.ok(config.kind === "repository");
    assert.deepEqual(config.images, {
      server: { repository: { registry: "localhost:5000", repository: "shop/server" } },
    });
    assert.deepEqual([config.repository.owner, config.repository.name], ["acme", "shop"]);
  });

  it("has no keys of an environment", () => {
    assert.deepEqual(mistakes({ rollout: {} }, { stack: "repository" }), [
      "tagalong:repository: is missing — write its keys below it: owner, name",
      "tagalong:rollout: belongs to an environment — move it to the file of an environment's stack",
      "tagalong:services: belongs to an environment — move it to the file of an environment's stack",
    ]);
  });

  it("names what GitHub can have", () => {
    const repository = { owner: "-acme", name: "my shop" };
    assert.deepEqual(mistakes({ services: undefined, repository }, { stack: "repository" }).slice(0, 2), [
      `tagalong:repository.name: "my shop" is not a repository's name — write letters, digits, '.', '_' and '-', for example shop`,
      'tagalong:repository.owner: "-acme" is not a GitHub owner — write a user or organisation, for example acme',
    ]);
  });
});

describe("A config error", () => {
  const failure = (raw: unknown): Error => {
    try {
      validateConfig(raw, { stack: "dev" });
    } catch (error) {
      return error as Error;
    }
    throw new assert.AssertionError({ message: "the config was taken" });
  };

  it("names the file, and all mistakes at once", () => {
    const services = { server: { image: "server", port: 80_800, helth: { path: "/healthz" } } };
    assert.equal(
      failure({ images, services }).message,
      [
        'The config of stack "dev" has 2 mistakes; fix in Pulumi.dev.yaml:',
        "  tagalong:services.server.helth: unknown key — did you mean health?",
        "  tagalong:services.server.port: 80800 is not a port — write a whole number, 1 to 65535, without quotes",
      ].join("\n"),
    );
  });

  it("names Pulumi.yaml as well where images are wrong", () => {
    assert.match(
      failure({ ...least, images: undefined }).message,
      /^The config of stack "dev" has a mistake; fix in Pulumi\.dev\.yaml, or Pulumi\.yaml for what all stacks share:\n/,
    );
  });

  it("is one that Pulumi prints without a stack trace", () => {
    const error = failure({});
    assert.ok(error instanceof ConfigError);
    assert.ok(pulumi.RunError.isInstance(error));
    assert.equal(error.problems.length, 2);
  });
});
