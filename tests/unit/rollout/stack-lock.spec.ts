import assert from "node:assert/strict";
import { judgeLocks, parseLocks } from "../../../rollout/stack-lock";

const text = `error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///state/.pulumi/locks/organization/shop/dev/6b1e.json: created by root@build-7 (pid 4711) at 2026-01-02T03:04:05Z
  file:///state/.pulumi/locks/organization/shop/dev/77aa.json: created by ann@laptop.local (pid 12) at 2026-01-02T03:05:05Z
`;

describe("A stack's locks", () => {
  it("are read from the engine's own words", () => {
    assert.deepEqual(parseLocks(text), [
      { user: "root", host: "build-7", pid: 4711 },
      { user: "ann", host: "laptop.local", pid: 12 },
    ]);
    assert.deepEqual(parseLocks("error: update failed"), []);
  });

  const lock = { user: "root", host: "here", pid: 7 };
  const here = { host: "here", alive: (pid: number) => pid === 7 };
  const table: [what: string, locks: Parameters<typeof judgeLocks>[0], decision: string][] = [
    ["are cleared when their processes were here and are gone", [{ ...lock, pid: 8 }], "clear"],
    ["stay while one process lives", [{ ...lock, pid: 8 }, lock], "root@here (pid 7)"],
    ["stay when one is on another machine", [{ ...lock, host: "there", pid: 8 }], "root@there (pid 8)"],
    ["stay when nobody knows whose they are", [], "somebody"],
  ];
  for (const [what, locks, decision] of table) {
    it(what, () => {
      const judged = judgeLocks(locks, here);
      assert.equal(judged.kind === "wait" ? judged.holder : judged.kind, decision);
    });
  }
});
