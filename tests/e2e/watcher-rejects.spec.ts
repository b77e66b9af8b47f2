// The watcher on a bad day, on a Docker engine.
import assert from "node:assert/strict";
import { describeRejecting } from "../behaviour/rejecting";
import { pushImage } from "../integration/registry/images";
import { onDocker } from "./harness";
import { registry } from "./images";

describeRejecting(onDocker, {
  noCommand: /no such file or directory|executable file not found/,
  more: (rejecting) => {
    it("says of an image that cannot be unpacked which one it is, and touches nothing", async () => {
      const { stack, watching } = rejecting();
      const before = await stack.ids();
      const target = { host: registry, repository: stack.project.repository("server") };
      const architecture = process.arch === "arm64" ? "arm64" : "amd64";
      await pushImage(target, { flavour: "docker", seed: "its layer is no archive", architecture }, "dev");
      const rejected = await watching.next("rejected", "failed");
      assert.equal(rejected.event, "rejected", rejected.message);
      assert.match(rejected.message, /^server sha256:.*could not be pulled: failed to register layer/);
      await watching.next("returned");
      assert.deepEqual(await stack.ids(), before);
    });
  },
});
