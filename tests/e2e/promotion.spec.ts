// Promotion on a Docker engine, and what no engine has a part in.
import assert from "node:assert/strict";
import { describePromotion } from "../behaviour/promotion";
import { types } from "../integration/registry/images";
import { onDocker } from "./harness";
import { pushApp, registry } from "./images";

describePromotion(onDocker, {
  refusals: (given) => {
    it("is refused where it is no release, or not one of every image, or another repository's", async () => {
      given.promote("9.9.9");
      await given.refused(/no image has release 9\.9\.9; .*\n.*client: \S+ has no tag 9\.9\.9\n.*server:/);
      await given.project.push("server", { version: "1.2.0" }, "1.2.0");
      given.promote("1.2.0");
      await given.refused(/release 1\.2\.0 is not on every image; .*\n.*client: \S+ has no tag 1\.2\.0/);
      const alone = await given.project.stack("alone", {
        release: given.release("1.1.0")["client"],
        services: { server: { image: "server" } },
      });
      assert.match(await alone.previewFails(), /has no such digest; it may be another repository's/);
    });
  },
  moved: (given) => {
    it("is led back to when somebody moves its tag, which a refresh finds and an update without one too", async () => {
      given.promote("1.1.0");
      await pushApp(given.project.repository("client"), { version: "by hand" }, "test");
      const foreign = (await given.carried())["client"];
      assert.deepEqual(await given.stack.changes(), ["update EnvironmentTag test: images"]);
      const { output } = await given.stack.refresh();
      assert.match(
        output,
        new RegExp(
          `warning: client: \\S+:test was led to ${given.release("1.1.0")["client"]} and carries ${foreign}: `,
        ),
      );
      const { resources } = await given.stack.exportState();
      const tag = resources.find(({ type }) => type === "tagalong:index:EnvironmentTag");
      assert.deepEqual(tag?.outputs?.["carried"], { ...given.release("1.1.0"), client: foreign });
      assert.deepEqual(await given.stack.changes(), ["update EnvironmentTag test: images"]);
      await given.stack.up();
      assert.deepEqual(await given.carried(), given.release("1.1.0"));
      await given.serves("1.1.0");
    });
  },
  failed: (given) => {
    it("is tried again once somebody says so, and no more when it fails again", async () => {
      const digest = given.release("2.0.0")["server"] ?? "";
      const record = await given.override("2.0.0", "the database is back");
      assert.match(await given.stack.upFails(), /was not healthy within 3\.0 s/);
      assert.notEqual((await given.ledger.findings("server", digest)).rejected?.record, record);
      assert.match(await given.stack.upFails(), /server: rejected in test at/);
      await given.serves("1.1.0");
    });
  },
  soaked: (given) => {
    it("passes the gate anew when it is tried again after that, before it gets any traffic", async () => {
      await given.override("2.1.0", "once more");
      // Its container is as sick as it was left.
      assert.match(await given.stack.upFails(), /service server: \S+ was not healthy within 3\.0 s: 503/);
      await given.serves("1.1.0");
      given.promote("1.1.0");
      await given.stack.up();
      assert.equal((await given.stack.ids("server")).length, 1);
    });

    it("is watched anew by the next update when one is killed in its soak time, which can still go back", async () => {
      given.configure({ soak: "30s" });
      await given.push("2.2.0");
      given.promote("2.2.0");
      given.stack.start("up", "--yes", "--skip-preview", "-s", "test");
      await given.live("2.2.0");
      // Once the state has the switch, nothing but the soak time is under way.
      const isSwitched = async () =>
        (await given.stack.exportState()).resources.some(
          ({ type, outputs }) =>
            type === "tagalong:index:Route" && Object.keys(outputs?.["before"] ?? {}).length > 0,
        );
      while (!(await isSwitched())) await new Promise((resolve) => setTimeout(resolve, 100));
      given.stack.kill();
      await given.sicken("2.2.0");
      await given.stack.cancel();
      assert.match(
        await given.stack.upFails(),
        /turned unhealthy after the switch.*the traffic goes to what served/s,
      );
      await given.serves("1.1.0");
      given.configure();
      given.promote("1.1.0");
      await given.stack.up();
      // What was cut short is on record as that.
      const outcomes = (await given.ledger.receipts()).map(({ outcome }) => outcome);
      assert(!outcomes.includes("rolling"), outcomes.join());
    });
  },
  held: (given) => {
    it("is left, once none is named, for whatever the tag carries, unless that may not run", async () => {
      given.promote(undefined);
      assert.deepEqual(await given.stack.changes(), ["update EnvironmentTag test: release, images"]);
      await given.stack.up();
      assert.deepEqual(await given.carried(), given.release("1.0.0"));
      // CI moves the tag to what was rejected here.
      const manifests = `http://${registry}/v2/${given.project.repository("server")}/manifests`;
      const bad = await fetch(`${manifests}/2.0.0`, { headers: { accept: types.docker.index } });
      const body = new Uint8Array(await bad.arrayBuffer());
      await fetch(`${manifests}/test`, {
        method: "PUT",
        headers: { "content-type": types.docker.index },
        body,
      });
      const { output } = await given.stack.run("preview", "-s", "test");
      assert.match(
        output,
        /warning: test does not take what its tag carries:\n.*server: rejected in test at/,
      );
      assert.match(output, /It stays with what it was brought to at \S+, 1\.0\.0/);
      assert.deepEqual(await given.stack.changes(), []);
      await given.stack.up();
      await given.serves("1.0.0");
    });
  },
});
