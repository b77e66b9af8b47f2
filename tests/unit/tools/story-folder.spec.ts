import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import type { Document } from "yaml";
import { checkStackFile } from "../../../config/stackFile";
import type * as StoryDocker from "../../../tools/story-docker.mjs";
import type * as StoryFolder from "../../../tools/story-folder.mjs";
import type * as StoryKubernetes from "../../../tools/story-kubernetes.mjs";
import type { Teller } from "../../../tools/story-text.mjs";
import { importTool } from "./import-module";

const text = (file: string) => readFileSync(resolve(__dirname, "../../..", file), "utf8");

describe("tools/story-folder", () => {
  let folder: typeof StoryFolder;

  before(async () => {
    folder = await importTool<typeof StoryFolder>("story-folder.mjs");
  });

  it("copies the project's file so that it works from elsewhere, with images of its own", () => {
    const copy = folder.projectFile(text("Pulumi.yaml"), {
      root: "/clone",
      name: "story",
      registry: "127.0.0.1:5000",
    });
    assert.match(copy, /^name: story$/m);
    assert.match(copy, /path: \/clone\/provider\/plugin$/m);
    assert.match(copy, /repository: 127\.0\.0\.1:5000\/story\/server$/m);
    assert.match(copy, /repository: 127\.0\.0\.1:5000\/story\/client$/m);
    assert.doesNotMatch(copy, /localhost:5000\/shop\//);
  });

  const tell: Teller = { happened() {}, more() {}, plain() {}, paint: (_style, text) => text };
  const ground = { env: {}, edge: "127.0.0.1:5000/edge:1" };

  it("copies the stack's file with this machine's edge and ports, and nothing of another passphrase", async () => {
    const project = folder.projectFile(text("Pulumi.yaml"), {
      root: "/",
      name: "story",
      registry: "127.0.0.1:5000",
    });
    const original = `${text("Pulumi.dev.yaml").replace(/^encryption.*\n/m, "")}encryptionsalt: v1:other\n`;
    const { onDocker } = await importTool<typeof StoryDocker>("story-docker.mjs");
    const forDocker = (document: Document) => onDocker.configure(document, ground);
    const copy = folder.stackFile(original, { configure: forDocker, ports: { client: 8093 } });
    assert.doesNotMatch(copy, /encryptionsalt|yaml-language-server/);
    const config = checkStackFile(project, copy, "dev");
    assert.ok(config.kind === "environment");
    assert.equal(config.services["client"]?.publish?.port, 8093);
    assert.equal(config.edge.image.registry, "127.0.0.1:5000");
    // What the copy does not have to change is what the original says.
    const before = checkStackFile(project, original, "dev");
    assert.ok(before.kind === "environment");
    assert.deepEqual(config.services["server"], before.services["server"]);
    assert.deepEqual(config.rollout, before.rollout);
  });

  it("copies the stack's file for a cluster, at a node port", async () => {
    const { onKubernetes } = await importTool<typeof StoryKubernetes>("story-kubernetes.mjs");
    const project = folder.projectFile(text("Pulumi.yaml"), {
      root: "/",
      name: "story",
      registry: "127.0.0.1:5000",
    });
    const port = await onKubernetes.port(8080, tell);
    const configure = (document: Document) => onKubernetes.configure(document, ground);
    const config = checkStackFile(
      project,
      folder.stackFile(text("Pulumi.dev.yaml"), { configure, ports: { client: port } }),
      "dev",
    );
    assert.ok(config.kind === "environment");
    assert.deepEqual([config.engine, config.services["client"]?.publish?.port], ["kubernetes", 30080]);
  });

  it("gives each clone names of its own, and always the same", () => {
    const [one, other] = [folder.place("/one/.work/start"), folder.place("/other/.work/start")];
    assert.notEqual(one.name, other.name);
    assert.equal(one.name, folder.place("/one/.work/start").name);
    assert.match(one.name, /^tagalong-start-[0-9a-f]{6}$/);
  });

  it("keeps the user's own stacks and repositories out of the story", () => {
    const env = folder.storyEnv(
      {
        PATH: "/bin",
        PULUMI_HOME: "/home",
        PULUMI_CONFIG_PASSPHRASE: "theirs",
        PULUMI_STACK: "theirs",
        GIT_DIR: "theirs",
        GITHUB_TOKEN: "theirs",
        GH_TOKEN: "theirs",
        SHOP_REGISTRY: "theirs",
      },
      folder.place("/clone"),
    );
    assert.ok(!Object.values(env).includes("theirs"));
    assert.equal(env["PULUMI_HOME"], "/home");
    assert.equal(env["PULUMI_BACKEND_URL"], "file:///clone/state?metadata=skip");
  });

  it("takes the next port where one is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const { port } = server.address() as AddressInfo;
    const free = await folder.freePort(port);
    server.close();
    assert.ok(free > port && free <= port + 50, `${free} after ${port}`);
  });
});
