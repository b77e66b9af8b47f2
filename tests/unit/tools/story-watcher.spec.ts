import assert from "node:assert/strict";
import type * as StoryWatcher from "../../../tools/story-watcher.mjs";
import { importTool } from "./import-module";

describe("tools/story-watcher", () => {
  let decisionsIn: typeof StoryWatcher.decisionsIn;

  before(async () => {
    ({ decisionsIn } = await importTool<typeof StoryWatcher>("story-watcher.mjs"));
  });

  it("reads whole lines, and keeps what of a line is there already", () => {
    const { decisions, rest } = decisionsIn(
      '{"event":"moved","message":"a"}\n{"event":"rolling"}\n{"event":"li',
    );
    assert.deepEqual(
      decisions.map(({ event }) => event),
      ["moved", "rolling"],
    );
    assert.equal(rest, '{"event":"li');
  });

  it("passes over lines that are no decisions", () => {
    assert.deepEqual(decisionsIn('(node:1) Warning: old\n{"level":"info"}\nnull\n\n'), {
      decisions: [],
      rest: "",
    });
  });
});
