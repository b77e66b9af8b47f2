// The watcher and a registry that is not well, or wants to know who asks: what is not sure changes nothing.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { type FaultyRegistry, give, type Hostage, startFaultyRegistry } from "../integration/registry/faulty";
import { freePort, Project, type Stack } from "./harness";
import { registry, unpublish } from "./images";
import { Watching } from "./watching";

const password = "n0body-may-read-this";

describe("A watcher and its registry", function () {
  this.timeout(600_000);

  const project = new Project(["server"]);
  let proxy: FaultyRegistry;
  let stack: Stack;
  let watching: Watching;

  const push = (version: string) => project.push("server", { version }, "dev");
  const images = () => ({ server: { repository: `${proxy.host}/${project.repository("server")}` } });
  const json = (status: number, code: string, headers: Record<string, string> = {}) => ({
    status,
    headers: { "content-type": "application/json", ...headers },
    body: Buffer.from(JSON.stringify({ errors: [{ code, message: code }] })),
  });
  /** Waits until the watcher has asked so many more times, or is known not to ask. */
  const looks = async (times: number) => {
    const enough = proxy.log.length + times;
    while (proxy.log.length < enough) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const isDocker = ({ request }: Hostage) => request.headers["user-agent"]?.startsWith("docker/") === true;

  before(async () => {
    proxy = await startFaultyRegistry(registry);
    await push("1");
    stack = await project.stack("dev", {
      images: images(),
      services: {
        server: { image: "server", port: 8080, publish: await freePort(), health: { path: "/healthz" } },
      },
      rollout: { deadline: "20s", drain: "3s", interval: "1s", settle: "200ms", soak: "0s" },
    });
    watching = new Watching(stack);
    await watching.next("healthy");
  });
  after(async () => {
    await watching?.end();
    await project.close();
    await proxy?.close();
  });

  it("asks once a tag and look, over one connection, while nothing moves", async () => {
    // What came of the first roll is written down beside it; then there is nothing more to say.
    while (!proxy.log.slice(-3).every((line) => line.startsWith("HEAD"))) await looks(1);
    const [asked, connected] = [proxy.log.length, proxy.connections];
    await looks(12);
    const methods = proxy.log.slice(asked, asked + 12).map((line) => line.slice(0, 4));
    assert.deepEqual([...new Set(methods)], ["HEAD"]);
    assert.equal(proxy.connections, connected);
  });

  const faults: { name: string; fault: (hostage: Hostage) => void | Promise<void>; reason: string }[] = [
    { name: "is down", fault: ({ response }) => void response.destroy(), reason: "network" },
    {
      name: "has an error of its own",
      fault: ({ response }) => give(response, json(500, "UNKNOWN")),
      reason: "server",
    },
    {
      name: "wants to be left alone for a moment",
      fault: ({ response }) => give(response, json(429, "TOOMANYREQUESTS", { "retry-after": "2" })),
      reason: "rate-limited",
    },
    {
      name: "has lost the tag",
      fault: ({ response }) => give(response, json(404, "MANIFEST_UNKNOWN")),
      reason: "absent",
    },
    {
      name: "announces another digest than that of what it sends",
      fault: async ({ response, truth }) => {
        const answer = await truth();
        const headers = { ...answer.headers, "docker-content-digest": `sha256:${"0".repeat(64)}` };
        give(response, { ...answer, headers });
      },
      reason: "invalid",
    },
  ];
  for (const { name, fault, reason } of faults) {
    it(`says that it does not know, once, when the registry ${name}, and leaves everything as it is`, async () => {
      const [before, said] = [await stack.ids(), watching.count("unknown")];
      proxy.fault = fault;
      assert.equal((await watching.next("unknown"))["reason"], reason);
      await looks(2);
      proxy.fault = undefined;
      await watching.next("sure");
      assert.equal(watching.count("unknown"), said + 1);
      assert.equal(watching.count("rolling"), 1);
      assert.deepEqual(await stack.ids(), before);
    });
  }

  it("keeps everything running when the tag is really gone, and rolls when it is back", async () => {
    const digest = await push("2");
    await watching.next("healthy");
    const before = await stack.ids();
    await unpublish(project.repository("server"), digest);
    await watching.next("unknown");
    assert.deepEqual(await stack.ids(), before);
    await push("3");
    await watching.next("sure");
    await watching.next("healthy");
  });

  it("rejects an image whose manifest the engine does not get, and touches nothing", async () => {
    const before = await stack.ids();
    proxy.fault = (hostage) =>
      isDocker(hostage) && hostage.request.url?.includes("/manifests/sha256:")
        ? give(hostage.response, json(404, "MANIFEST_UNKNOWN"))
        : hostage.pass();
    await push("4");
    const rejected = await watching.next("rejected", "failed");
    assert.equal(rejected.event, "rejected", rejected.message);
    assert.match(rejected.message, /manifest unknown/);
    await watching.next("returned");
    assert.deepEqual(await stack.ids(), before);
  });

  it("tries again what could not be pulled for a reason that passes", async () => {
    const before = await stack.ids();
    proxy.fault = (hostage) =>
      isDocker(hostage) && hostage.request.url?.includes("/manifests/")
        ? give(hostage.response, json(500, "UNKNOWN"))
        : hostage.pass();
    await push("5");
    assert.match((await watching.next("failed")).message, /could not be pulled.*next try in/);
    await watching.next("returned");
    assert.deepEqual(await stack.ids(), before);
    proxy.fault = undefined;
    await watching.next("healthy");
  });

  it("uses the config's credentials to look and to pull, and shows the password nowhere", async () => {
    const expected = `Basic ${Buffer.from(`bot:${password}`).toString("base64")}`;
    const served: string[] = [];
    proxy.fault = (hostage) => {
      const { request, response, pass } = hostage;
      if (request.headers.authorization === expected) {
        served.push(isDocker(hostage) ? "engine" : "watcher");
        return pass();
      }
      give(response, json(401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="test"' }));
    };
    assert.equal((await watching.next("unknown"))["reason"], "access");
    const [seen, look] = watchProcesses();
    await stack.run(
      "config",
      "set",
      "--path",
      `tagalong:registries["${proxy.host}"].username`,
      "bot",
      "-s",
      "dev",
    );
    const set = stack.start(
      ...[
        "config",
        "set",
        "--secret",
        "--path",
        `tagalong:registries["${proxy.host}"].password`,
        "-s",
        "dev",
      ],
    );
    set.child.stdin?.end(password);
    assert.equal((await set.done).code, 0);
    await watching.next("sure");
    await push("6");
    await watching.next("healthy");
    clearInterval(look);
    assert(served.includes("watcher") && served.includes("engine"));

    const hidden = new RegExp(`${password}|${Buffer.from(`bot:${password}`).toString("base64")}`);
    assert.doesNotMatch(watching.output, hidden);
    assert.doesNotMatch([...seen].join("\n"), hidden);
    assert.match([...seen].join("\n"), /pulumi up/);
    const { stdout } = await stack.run("stack", "export", "--show-secrets", "-s", "dev");
    assert.doesNotMatch(stdout, hidden);
    assert.doesNotMatch((await stack.exportState()).text, hidden);
  });

  it("says that the password is wrong, and rolls nothing meanwhile", async () => {
    const before = await stack.ids();
    proxy.fault = ({ response }) =>
      give(response, json(401, "UNAUTHORIZED", { "www-authenticate": 'Basic realm="test"' }));
    const { message, reason } = await watching.next("unknown");
    assert.equal(reason, "access");
    assert.doesNotMatch(message, new RegExp(password));
    assert.deepEqual(await stack.ids(), before);
  });

  it("ends at once while a registry keeps it waiting for an answer", async () => {
    let asked = () => {};
    const question = new Promise<void>((resolve) => {
      asked = resolve;
    });
    proxy.fault = () => asked(); // and never an answer
    await question;
    const said = watching.count("unknown");
    await watching.stop();
    assert.equal(watching.count("unknown"), said, "it did not wait for the end of its patience");
  });
});

/** Every command line of this machine while it looks. */
function watchProcesses(): [Set<string>, NodeJS.Timeout] {
  const seen = new Set<string>();
  const look = () => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  return [seen, setInterval(look, 50)];
}
