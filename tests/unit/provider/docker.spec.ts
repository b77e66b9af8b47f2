import assert from "node:assert/strict";
import { historyAfter } from "../../../provider/docker/image";
import { routeFile, slotsFor } from "../../../provider/docker/layout";
import { filesOf, upstreamsIn } from "../../../provider/docker/route";

describe("The images that stay", () => {
  const old = (pinned: string, ...history: string[]) => ({
    reference: pinned,
    platforms: [],
    keep: 2,
    digest: "",
    pinned,
    history,
  });
  const table: [what: string, stay: string[], expected: string[]][] = [
    ["are the last ones, newest first", historyAfter(old("c", "b", "a"), "d", 2), ["c", "b"]],
    [
      "do not name the current one twice after going back",
      historyAfter(old("c", "b", "a"), "b", 2),
      ["c", "a"],
    ],
    ["are unchanged by an update of something else", historyAfter(old("c", "b"), "c", 2), ["b"]],
    ["shrink with their number", historyAfter(old("c", "b", "a"), "c", 1), ["b"]],
  ];
  for (const [what, stay, expected] of table) it(what, () => assert.deepEqual(stay, expected));
});

describe("The route's files", () => {
  it("are as many for one replica as for twelve, so that scaling leaves the edge alone", () => {
    assert.deepEqual([1, 2, 12, 13, 50].map(slotsFor), [12, 12, 12, 24, 60]);
    assert.equal(filesOf({ web: ["a:80"] }).length, filesOf({ web: ["a:80", "b:80", "c:80"] }).length);
  });

  it("lead to each replica in turn", () => {
    const contents = filesOf({ web: ["a:80", "b:80", "c:80"] }).map(([, content]) => content);
    assert.deepEqual(contents.slice(0, 4), ["a:80", "b:80", "c:80", "a:80"]);
    assert.equal(contents.filter((content) => content === "b:80").length, 4);
  });

  it("are read back as what they were written from, and a slot that differs shows", () => {
    const upstreams = { web: ["a:80", "b:80"], api: ["c:1"] };
    const files = Object.fromEntries(filesOf(upstreams));
    assert.deepEqual(upstreamsIn(files, upstreams), upstreams);
    files[routeFile("web", 3)] = "x:1";
    delete files[routeFile("api", 0)];
    assert.deepEqual(upstreamsIn(files, upstreams), { web: ["a:80", ""], api: [""] });
  });
});
