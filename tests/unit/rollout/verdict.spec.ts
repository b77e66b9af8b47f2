/** Who is to blame for a failed roll: an image, which is then never tried again, or what was in the way. */
import assert from "node:assert/strict";
import { formatFailures, judgeReplica } from "../../../rollout/gate";
import { judgeFailures, type UpdateFailure, type Verdict } from "../../../rollout/verdict";

const environment = { stack: "dev", services: ["server", "client", "a-b"] };
const reference = `127.0.0.1:5000/shop/server@sha256:${"1".repeat(64)}`;

const gate = (...failures: [service: string, reason: string][]): UpdateFailure => ({
  type: "tagalong:index:Gate",
  name: "dev",
  message: formatFailures(
    failures.map(([service, reason]) => ({ service, reason, reference, lastLines: ["one line"] })),
  ),
});
const image = (name: string, message: string): UpdateFailure => ({
  type: "tagalong:index:Image",
  name,
  message: `${reference} could not be pulled: ${message}`,
});
const container = (name: string, message: string): UpdateFailure => ({
  type: "docker:index/container:Container",
  name,
  message: `sdk-v2/provider2.go:572: sdk.helper_schema: ${message}: provider=docker@5.2.0`,
});
const rejected = (...services: [service: string, reason: string][]): Verdict => ({
  kind: "rejected",
  services: services.map(([service, reason]) => ({ service, reason })),
});

const oci = (why: string) =>
  `unable to start container: Error response from daemon: OCI runtime create failed: container_linux.go:367: starting container process caused: ${why}: unknown`;

/** The engine's words, and whom they blame; undefined where the roll may work later. */
const words: [message: string, blames: boolean][] = [
  ["manifest for shop/server@sha256:1 not found: manifest unknown: manifest unknown", true],
  ["no matching manifest for linux/amd64 in the manifest list entries", true],
  ["failed to register layer: Error processing tar file(exit status 1): unexpected EOF", true],
  ["filesystem layer verification failed for digest sha256:1", true],
  [
    "failed to register layer: Error processing tar file(exit status 1): write /x: no space left on device",
    false,
  ],
  ["toomanyrequests: rate exceeded", false],
  ["unauthorized: authentication required", false],
  ["received unexpected HTTP status: 500 Internal Server Error", false],
  ["Get http://127.0.0.1:5000/v2/: dial tcp 127.0.0.1:5000: connect: connection refused", false],
  ["net/http: request canceled (Client.Timeout exceeded while awaiting headers)", false],
];
const starts: [message: string, blames: boolean][] = [
  [oci('exec: "/no/such": stat /no/such: no such file or directory'), true],
  [oci('exec: "nope": executable file not found in $PATH'), true],
  [oci('exec: "/app": permission denied'), true],
  [oci("exec /app: exec format error"), true],
  ["unable to create container: Error response from daemon: No command specified", true],
  [
    "unable to start container: Error response from daemon: unable to find user app: no matching entries in passwd file",
    true,
  ],
  [
    "unable to start container: Error response from daemon: driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:80 failed: port is already allocated",
    false,
  ],
  ["unable to start container: Error response from daemon: network dev not found", false],
  ["unable to create container: Error response from daemon: no space left on device", false],
  [
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    false,
  ],
];

describe("A failed roll", () => {
  it("blames the services that the gate names", () => {
    const verdict = judgeFailures(
      [gate(["server", "x exited with code 7"], ["client", "late"])],
      environment,
    );
    assert.deepEqual(verdict, rejected(["server", "x exited with code 7"], ["client", "late"]));
  });

  it("blames nobody for a container that somebody removed while the gate looked", () => {
    const gone = judgeReplica({
      service: "server",
      name: "shop-dev-server",
      wanted: reference,
      runs: "",
      state: "gone",
      restarts: 0,
      upForMs: 0,
      probe: "none",
      goodAnswers: 0,
    });
    assert(gone.kind === "fail");
    assert.equal(judgeFailures([gate(["server", gone.reason])], environment).kind, "retry");
    assert.deepEqual(
      judgeFailures([gate(["server", gone.reason], ["client", "late"])], environment),
      rejected(["client", "late"]),
    );
  });

  it("blames nobody for the edge, which is no part of a roll", () => {
    assert.equal(judgeFailures([gate(["edge", "x exited with code 1"])], environment).kind, "retry");
    assert.equal(
      judgeFailures(
        [container("shop-dev-edge", oci('exec: "caddy": executable file not found'))],
        environment,
      ).kind,
      "retry",
    );
  });

  for (const [message, blames] of words) {
    it(`${blames ? "blames the image" : "may work later"} when a pull ends with: ${message}`, () => {
      const verdict = judgeFailures([image("dev-server", message)], environment);
      assert.deepEqual(
        verdict,
        blames
          ? rejected(["server", `${reference} could not be pulled: ${message}`])
          : { kind: "retry", reason: `${reference} could not be pulled: ${message}` },
      );
    });
  }

  for (const [message, blames] of starts) {
    it(`${blames ? "blames the image" : "may work later"} when a start ends with: ${message}`, () => {
      const verdict = judgeFailures([container("shop-dev-a-b-0123abcd-0", message)], environment);
      assert.equal(verdict.kind, blames ? "rejected" : "retry");
      if (verdict.kind === "rejected") assert.equal(verdict.services[0]?.service, "a-b");
    });
  }

  it("tells services apart whose names end alike", () => {
    const alike = { stack: "dev", services: ["b", "dev-b"] };
    const blamed = (name: string) => {
      const verdict = judgeFailures([container(name, oci("exec format error"))], alike);
      return verdict.kind === "rejected" ? verdict.services.map(({ service }) => service) : [];
    };
    assert.deepEqual(blamed("shop-dev-dev-b-0a1b2c3d-0"), ["dev-b"]);
    assert.deepEqual(blamed("shop-dev-b-0a1b2c3d-11"), ["b"]);
  });

  it("says in one line what was in the way when nothing but the engine's own words is known", () => {
    const failures = [
      { type: "", name: "", message: "error: first\nsecond" },
      { type: "pulumi:pulumi:Stack", name: "shop-dev", message: "third" },
    ];
    assert.deepEqual(judgeFailures(failures, environment), { kind: "retry", reason: "error: first; third" });
    assert.deepEqual(judgeFailures([], environment), { kind: "retry", reason: "the update failed" });
  });
});
