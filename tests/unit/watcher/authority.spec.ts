/** What the environment is authorised to run, as its stack's state says, and when that is read. */
import assert from "node:assert/strict";
import type { Authorisation } from "../../../rollout/authorised";
import { Authority } from "../../../watcher/authority";
import type { Work } from "../../../watcher/work";
import { Clock, configOf, type Given } from "./given";

describe("The authority of the config's release", () => {
  const clock = new Clock();
  let given: Given;
  let state: Authorisation | undefined;
  let readings: number;
  let authority: Authority;

  beforeEach(() => {
    clock.start();
    given = { interval: 2_000, configuration: "c" };
    [state, readings] = [{ release: "1.4.2", digests: { server: "s1", client: "c1" } }, 0];
    const runner = {
      recorded: async () => {
        readings += 1;
        return { authorisation: state };
      },
    } as unknown as Work["runner"];
    authority = new Authority({ config: configOf(given), runner });
    authority.adopt(state);
  });
  afterEach(() => clock.stop());

  it("costs no look at the state while the tags carry what is authorised", async () => {
    await authority.look([["server", "s1"]]);
    assert.equal(authority.problem("server", "s1"), undefined);
    assert.equal(readings, 0);
  });

  it("learns from the state, at once, what somebody has authorised elsewhere", async () => {
    state = { release: "1.5.0", digests: { server: "s2", client: "c2" } };
    await authority.look([
      ["server", "s2"],
      ["client", "c2"],
    ]);
    assert.equal(authority.problem("server", "s2"), undefined);
    assert.equal(authority.release, "1.5.0");
    assert.equal(readings, 1);
  });

  it("reads the state once for images that move together", async () => {
    await Promise.all([authority.look([["server", "s9"]]), authority.look([["client", "c9"]])]);
    assert.equal(readings, 1);
    assert.match(authority.problem("server", "s9") ?? "", /not what the config names/);
  });

  it("looks ever more slowly while a tag stays at something else, and sees when the state agrees", async () => {
    for (let look = 0; look < 60; look += 1) {
      await authority.look([["server", "s9"]]);
      clock.now += given.interval;
    }
    assert(readings >= 4 && readings <= 9, `${readings} readings in two minutes`);
    state = { release: "1.5.0", digests: { server: "s9", client: "c9" } };
    clock.now += 30_000;
    await authority.look([["server", "s9"]]);
    assert.equal(authority.problem("server", "s9"), undefined);
  });

  it("looks again at once when the tag moves on", async () => {
    for (let look = 0; look < 10; look += 1) {
      await authority.look([["server", "s9"]]);
      clock.now += given.interval;
    }
    const before = readings;
    await authority.look([["server", "s8"]]);
    assert.equal(readings, before + 1);
  });
});
