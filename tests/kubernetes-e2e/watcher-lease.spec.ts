// A watcher outside of the cluster that has no way to it any more: it stops before another may begin.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, Project, type Stack } from "../e2e/harness";
import { Watching } from "../e2e/watching";
import { onKubernetes } from "../kubernetes/engine";
import { Way } from "../kubernetes/way";

describe("A watcher that loses the cluster in the middle of a roll", function () {
  this.timeout(600_000);

  const project = new Project(["server"], onKubernetes);
  const watchers: Watching[] = [];
  let stack: Stack;
  let way: Way;
  let url: string;

  const watch = (...args: ConstructorParameters<typeof Watching>) => {
    const watching = new Watching(...args);
    watchers.push(watching);
    return watching;
  };

  before(async () => {
    way = await Way.open();
    const port = await onKubernetes.freePort();
    url = onKubernetes.url(port);
    await project.push("server", { version: "1" }, "dev");
    stack = await project.stack("dev", {
      services: { server: { image: "server", port: 8080, publish: port, health: { path: "/healthz" } } },
      rollout: { interval: "1s", settle: "0s", soak: "1s", drain: "1s", deadline: "120s" },
    });
    await stack.up();
  });
  after(async () => {
    for (const one of watchers) await one.end();
    way.close();
    await project.close();
  });

  it("cancels the roll and ends with what it has lost; the next one begins only then, and goes on from there", async () => {
    const first = watch(stack, { env: { KUBECONFIG: way.kubeconfig } });
    await first.next("watching");
    await project.push("server", { version: "2", env: { HEALTHY_AFTER_MS: "40000" } }, "dev");
    await first.next("rolling");
    while ((await stack.ids("server")).length < 2) await sleep(100);
    way.cut();
    const second = watch(stack, { env: { XDG_STATE_HOME: `${project.folder}/elsewhere` } });
    await second.next("waiting");
    assert.equal(await first.ended, 1, first.output);
    assert.equal(second.count("watching"), 0, "another began before it had ended");
    assert.match(
      first.output,
      /^tagalong: the Lease watcher in the namespace \S+ cannot be held any longer, and another watcher may take over: /m,
    );
    await second.next("watching");
    await second.next("healthy");
    assert.equal((await ask(url)).version, "2");
    await second.stop();
  });
});
