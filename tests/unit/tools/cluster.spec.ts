import assert from "node:assert/strict";
import { isIP } from "node:net";
import { join } from "node:path";
import { importTool } from "./import-module";

type Addresses = typeof import("../../../tools/cluster/addresses.mjs");
type Command = typeof import("../../../tools/cluster/command.mjs");
type Folder = typeof import("../../../tools/cluster/folder.mjs");
type Machine = typeof import("../../../tools/cluster/machine.mjs");
type Shared = typeof import("../../../tools/cluster/shared.mjs");
type Parts = typeof import("../../../tools/cluster/parts.mjs");

describe("A cluster for tests", () => {
  describe("is addressed", () => {
    let addresses: Addresses;
    before(async () => {
      addresses = await importTool<Addresses>("cluster/addresses.mjs");
    });

    it("by a pair of addresses that no other cluster has, in the block for tests", () => {
      const { addressesOf, MOST } = addresses;
      assert.deepEqual(addressesOf(0), {
        link: "tagalong0",
        host: "198.18.0.1",
        node: "198.18.0.2",
        prefix: 30,
      });
      const numbers = [0, 1, 63, 64, 16_383, 16_384, MOST - 1];
      const all = numbers.map(addressesOf).flatMap(({ host, node }) => [host, node]);
      assert.equal(new Set(all).size, all.length);
      for (const address of all) {
        assert.ok(isIP(address), address);
        assert.match(address, /^198\.1[89]\./);
      }
    });

    it("over an interface whose far end has a name that Linux takes, too", () => {
      const { addressesOf, MOST } = addresses;
      assert.ok(`${addressesOf(MOST - 1).link}n`.length <= 15);
    });
  });

  describe("is ordered", () => {
    let readOrder: Command["readOrder"];
    before(async () => {
      ({ readOrder } = await importTool<Command>("cluster/command.mjs"));
    });

    it("by a verb, and may have a name and nodes that exist in the API only", () => {
      assert.deepEqual(readOrder(["up"]), { verb: "up", name: "default", fakes: 0, json: false });
      assert.deepEqual(readOrder(["up", "--name", "b-2", "--nodes", "50", "--json"]), {
        verb: "up",
        name: "b-2",
        fakes: 50,
        json: true,
      });
    });

    const refused: [what: string, args: string[], error: RegExp][] = [
      ["no verb", [], /^what shall be done\?\n {2}npm run cluster -- up /],
      ["an unknown verb", ["start"], /^there is no "start"\n {2}npm run cluster -- up /],
      ["two verbs", ["up", "down"], /^there is no "up down"/],
      ["an unknown option", ["up", "--size", "3"], /'--size'.*\n {2}npm run cluster -- up /s],
      ["a number that is none", ["up", "--nodes", "many"], /^--nodes is "many"\n.*0 to 9999/],
      [
        "a name that leads elsewhere",
        ["down", "--name", "../x"],
        /^--name is "..\/x", which is no cluster's name\n/,
      ],
    ];
    for (const [what, args, error] of refused)
      it(`but not with ${what}`, () => assert.throws(() => readOrder(args), { message: error }));
  });

  describe("is refused before anything is built", () => {
    let obstacle: Machine["obstacle"];
    before(async () => {
      ({ obstacle } = await importTool<Machine>("cluster/machine.mjs"));
    });

    it("where it is not Linux", () => {
      assert.match(obstacle("darwin", true)?.message ?? "", /runs on Linux only\n {2}run this in/);
    });

    it("to a user who is not root, with the command that does it as root", () => {
      assert.match(obstacle("linux", false)?.message ?? "", /needs root.*\n {2}sudo .*npm run cluster -- up/);
    });

    it("where programs are missing, all of them named with what has them", () => {
      const message = obstacle("linux", true, { PATH: "/nowhere" })?.message ?? "";
      assert.match(message, /needs unshare, mount, ip, iptables, openssl on PATH\n/);
      assert.match(message, /install util-linux iproute2 iptables openssl/);
    });
  });

  describe("is started", () => {
    let parts: Parts;
    const layout = {
      addresses: { link: "tagalong7", host: "198.18.0.29", node: "198.18.0.30", prefix: 30 },
      registryPort: 5000,
      fakes: false,
    };
    before(async () => {
      parts = await importTool<Parts>("cluster/parts.mjs");
    });

    it("with every part that a cluster has, and kwok only where nodes are to be played", () => {
      const names = parts.inside(layout).map(({ name }) => name);
      assert.deepEqual(names, [
        "forward",
        "forward",
        "etcd",
        "containerd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
        "coredns",
      ]);
      const more = parts.inside({ ...layout, fakes: true }).map(({ name }) => name);
      assert.deepEqual(more, [...names, "kwok"]);
    });

    it("from a folder with any name", () => {
      const script = parts.outerScript(layout, "/home/o'neil/my cache/c");
      assert.ok(script.includes(`mount --bind '/home/o'\\''neil/my cache/c' /run/cluster\n`), script);
    });

    it("with the registry at the address that it has on the machine", () => {
      assert.match(parts.outerScript(layout, "/c"), /'unix:\S+sock' 'tcp:127\.0\.0\.1:5000'/);
      assert.match(parts.innerScript(layout), /'tcp:127\.0\.0\.1:5000' 'unix:\S+sock'/);
    });
  });

  it("has a name of its own among the machine's control groups, wherever its folder is", async () => {
    const { groupOf } = await importTool<Folder>("cluster/folder.mjs");
    assert.match(groupOf("/a/default"), /^tagalong-[0-9a-f]{8}$/);
    assert.notEqual(groupOf("/a/default"), groupOf("/b/default"));
  });

  it("is told of in a table, with what is not well beneath it", async () => {
    const { table } = await importTool<Command>("cluster/command.mjs");
    const about = { api: "https://198.18.0.2:6443", since: "2026-01-01T00:00:00Z", pods: 3 };
    const kubeconfig = join("/c", "one", "kubeconfig");
    const text = table([
      {
        ...about,
        name: "one",
        state: "unwell",
        nodes: { ready: 0, all: 1 },
        kubeconfig,
        ailments: { kubelet: "refused" },
      },
      {
        ...about,
        name: "gone",
        state: "down",
        nodes: { ready: 0, all: 0 },
        pods: 0,
        api: "",
        kubeconfig,
        ailments: {},
      },
    ]);
    assert.deepEqual(text.split("\n"), [
      "cluster  state   nodes  pods  API                      kubeconfig",
      "one      unwell  0/1    3     https://198.18.0.2:6443  /c/one/kubeconfig",
      "gone     down    0/0    0",
      "one: kubelet: refused",
      "",
    ]);
    assert.match(table([]), /no cluster; npm run cluster -- up/);
  });

  it("of a test run that is no more is left behind; the others' are not", async () => {
    const { abandoned } = await importTool<Shared>("cluster/shared.mjs");
    const gone = 2 ** 22 + 1; // above the highest number of a process
    assert.deepEqual(abandoned(["default", `tests-${process.pid}`, `tests-${gone}`, "tests-mine"]), [
      `tests-${gone}`,
    ]);
  });
});
