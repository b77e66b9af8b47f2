import assert from "node:assert/strict";
import { judgeFailures, type UpdateFailure } from "../../../rollout/verdict";

const environment = { stack: "dev", services: ["server", "b", "dev-b"] };
const container = (name: string, message: string): UpdateFailure => ({
  type: "docker:index/container:Container",
  name,
  message,
});
const image = (name: string, message: string): UpdateFailure => ({
  type: "tagalong:index:Image",
  name,
  message,
});
const gate = (message: string): UpdateFailure => ({ type: "tagalong:index:Gate", name: "dev", message });
const noProgram = 'exec: "serve": executable file not found in $PATH';

describe("The verdict on a failed roll", () => {
  const table: [what: string, failures: UpdateFailure[], services: string[] | undefined][] = [
    [
      "rejects the services that the gate names",
      [gate("service server: it exited with code 1\n  image ghcr.io/acme/server@sha256:aa")],
      ["server"],
    ],
    [
      "rejects a service whose replica cannot start",
      [container("shop-dev-server-0a1b2c3d-0", noProgram)],
      ["server"],
    ],
    [
      "tells services apart whose names end alike",
      [container("shop-dev-dev-b-0a1b2c3d-0", noProgram)],
      ["dev-b"],
    ],
    ["takes the short name for what it is", [container("shop-dev-b-0a1b2c3d-11", noProgram)], ["b"]],
    [
      "rejects an image that is not in its registry",
      [image("dev-server", "could not be pulled: manifest unknown")],
      ["server"],
    ],
    ["does not blame a service for the edge's image", [image("dev-edge", "manifest unknown")], undefined],
    [
      "tries again after a container that somebody removed",
      [gate("service server: it was removed while it was starting\n  image x@y")],
      undefined,
    ],
    [
      "tries again after what no image can help",
      [container("shop-dev-server-0a1b2c3d-0", "no space left on device")],
      undefined,
    ],
    ["tries again when it does not know what was wrong", [], undefined],
  ];
  for (const [what, failures, services] of table) {
    it(what, () => {
      const verdict = judgeFailures(failures, environment);
      const rejected =
        verdict.kind === "rejected" ? verdict.services.map(({ service }) => service) : undefined;
      assert.deepEqual(rejected, services);
    });
  }

  it("names the reason in one line", () => {
    const verdict = judgeFailures([image("dev-server", "the disk is full\nat /var/lib")], environment);
    assert.deepEqual(verdict, { kind: "retry", reason: "the disk is full" });
    assert.deepEqual(judgeFailures([], environment), { kind: "retry", reason: "the update failed" });
  });
});
