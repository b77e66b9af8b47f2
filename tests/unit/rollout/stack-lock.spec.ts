/** Whose lock stands in the way: the engine's own text, and what is done about it. */
import assert from "node:assert/strict";
import { judgeLocks, parseLocks } from "../../../rollout/stack-lock";

const file = (user: string, host: string, pid: number) =>
  `  file:///state/.pulumi/locks/organization/shop/dev/711aadb0.json?no_tmp_dir=true: created by ${user}@${host} (pid ${pid}) at 2026-11-21T14:33:56Z`;
const error = (...files: string[]) =>
  [
    `error: the stack is currently locked by ${files.length} lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.`,
    ...files,
    "",
  ].join("\n");

describe("The engine's error of a locked stack", () => {
  const table: [text: string, locks: ReturnType<typeof parseLocks>][] = [
    [error(file("root", "vm", 10537)), [{ user: "root", host: "vm", pid: 10537 }]],
    [
      error(file("ann", "laptop.local", 7), file("ann@acme", "ci-1", 8)),
      [
        { user: "ann", host: "laptop.local", pid: 7 },
        { user: "ann@acme", host: "ci-1", pid: 8 },
      ],
    ],
    ["error: [409] Conflict: Another update is currently in progress.", []],
  ];
  for (const [text, locks] of table) {
    it(`names ${locks.length} of their owners`, () => assert.deepEqual(parseLocks(text), locks));
  }
});

describe("A lock", () => {
  const own = { user: "root", host: "vm", pid: 1 };
  const here = (...alive: number[]) => ({ host: "vm", alive: (pid: number) => alive.includes(pid) });
  const table: [sentence: string, actual: unknown, expected: unknown][] = [
    ["of a process that is gone is cleared", judgeLocks([own], here()), { kind: "clear" }],
    [
      "of a living process is waited for",
      judgeLocks([own], here(1)),
      { kind: "wait", holder: "root@vm (pid 1)" },
    ],
    [
      "of another machine is waited for, whatever runs here",
      judgeLocks([{ ...own, host: "ci" }], here()),
      { kind: "wait", holder: "root@ci (pid 1)" },
    ],
    [
      "of a dead process is left alone beside one of a living",
      judgeLocks([own, { ...own, pid: 2 }], here(2)),
      { kind: "wait", holder: "root@vm (pid 2)" },
    ],
    ["that nobody can read is waited for", judgeLocks([], here()), { kind: "wait", holder: "somebody" }],
  ];
  for (const [sentence, actual, expected] of table) it(sentence, () => assert.deepEqual(actual, expected));
});
