import assert from "node:assert/strict";
import { type Blamed, blame, type Rolled } from "../../../rollout/blame";
import { platformProblem } from "../../../rollout/platform";

const moved: Rolled = { services: ["server", "worker"], isMoved: true, isNew: true };
const configured: Rolled = { services: ["client"], isMoved: false, isNew: true };
const proven: Rolled = { services: ["database"], isMoved: false, isNew: false };
const images = { app: moved, client: configured, database: proven };
const fails = (service: string) => ({ service, reason: `${service} exited with code 7` });

describe("A failed roll is held against", () => {
  const table: [what: string, failing: string[], blamed: Blamed[]][] = [
    ["the image of the failing service", ["worker"], [{ image: "app", reason: "worker exited with code 7" }]],
    [
      "an image that has not moved and runs with another configuration",
      ["client"],
      [{ image: "client", reason: "client exited with code 7" }],
    ],
    [
      "all of several",
      ["client", "server"],
      [
        { image: "app", reason: "server exited with code 7" },
        { image: "client", reason: "client exited with code 7" },
      ],
    ],
    [
      "what has moved, where only what did well before fails",
      ["database"],
      [{ image: "app", reason: "database exited with code 7" }],
    ],
    ["what has moved, where the edge fails", ["edge"], [{ image: "app", reason: "edge exited with code 7" }]],
  ];
  for (const [what, failing, blamed] of table)
    it(what, () => assert.deepEqual(blame(images, failing.map(fails)), blamed));

  it("nothing, where only what did well before fails, and nothing has moved", () =>
    assert.deepEqual(blame({ database: proven }, [fails("database")]), []));
});

describe("An image's platforms", () => {
  const table: [what: string, platforms: string[], wanted: string, problem: boolean][] = [
    ["fit where one is the engine's", ["linux/amd64", "linux/arm64/v8"], "linux/amd64", false],
    ["fit whatever the variant is", ["linux/arm64/v8"], "linux/arm64", false],
    ["do not fit where none is", ["linux/arm64/v8"], "linux/amd64", true],
    ["do not fit by the start of a name", ["linux/amd64p32"], "linux/amd64", true],
    ["are no problem where nobody knows them", [], "linux/amd64", false],
  ];
  for (const [what, platforms, wanted, problem] of table) {
    it(what, () => {
      const expected = `r@d has no image for ${wanted}, which this engine runs; it has ${platforms.join(", ")}: build it for ${wanted} too`;
      assert.equal(platformProblem("r@d", platforms, [wanted]), problem ? expected : undefined);
    });
  }
});
