// The Lease that watchers of one environment hold in turn, on the cluster of the run.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { V1Lease } from "@kubernetes/client-node";
import { holderOf } from "../../cli/pods";
import { find, type Labelled, pathOf, remove, resources } from "../../provider/kubernetes/api";
import { watcherName } from "../../provider/kubernetes/layout";
import { ClusterLease } from "../../watcher/clusterLease";
import { cluster } from "./engine";
import { Way } from "./way";

/** Short, so that what takes its time need not be waited for. */
const times = { duration: 5_000, renewWithin: 3_000, retry: 200 };
const environment = "shop/dev";

describe("The Lease of an environment's watcher", function () {
  this.timeout(600_000);

  const namespace = `lease-${randomBytes(4).toString("hex")}`;
  const place = pathOf(resources.namespaces, undefined, namespace);
  const path = pathOf(resources.leases, namespace, watcherName);
  const held: ClusterLease[] = [];
  let said: string[];

  const lease = () => cluster.get<V1Lease & Labelled>(path);
  const take = async (more: Partial<Parameters<typeof ClusterLease.take>[0]> = {}) => {
    const stop = new AbortController().signal;
    const log = (_event: string, message: string) => void said.push(message);
    const taken = await ClusterLease.take({ cluster, namespace, environment, log, stop, times, ...more });
    if (taken) held.push(taken);
    return taken;
  };
  const taken = async (more: Parameters<typeof take>[0] = {}) => (await take(more)) ?? assert.fail();
  const makeNamespace = () =>
    cluster.post(pathOf(resources.namespaces), {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
  /** When it is lost, with the reason. */
  const lost = ({ lost: signal }: ClusterLease) =>
    new Promise<string>((resolve) => {
      const tell = () => resolve((signal.reason as Error).message);
      if (signal.aborted) tell();
      else signal.addEventListener("abort", tell);
    });
  /** The holder's name, once there is one that is not this. */
  const holderAfter = async (former: string) => {
    for (;;) {
      const { holderIdentity } = (await find<V1Lease>(cluster, path))?.spec ?? {};
      if (holderIdentity && holderIdentity !== former) return holderIdentity;
      await new Promise((next) => setTimeout(next, 50));
    }
  };

  before(() => makeNamespace());
  beforeEach(() => {
    said = [];
  });
  afterEach(async () => {
    for (const one of held.splice(0)) await one.release();
  });
  after(async () => {
    const { metadata } = await cluster.get<Labelled>(place);
    await remove(cluster, place, metadata);
  });

  it("is one's until it is released: a second watcher waits, says once who has it, and goes on then", async () => {
    const first = await taken();
    const { holderIdentity = "", leaseTransitions = 0 } = (await lease()).spec ?? {};
    const second = taken();
    const renewals = new Set<string>();
    while (renewals.size < 4) renewals.add((await lease()).metadata.resourceVersion ?? "");
    assert.deepEqual(
      said.map((one) => one.replace(/ of the cluster of .*:/, " of the cluster:")),
      [
        `another watcher has the environment (${holderIdentity}, by the Lease ${watcherName} in the namespace ${namespace} of the cluster: taking over when that ends`,
      ],
    );
    await first.release();
    await second;
    const spec = (await lease()).spec ?? {};
    assert.notEqual(spec.holderIdentity, holderIdentity);
    assert.equal(spec.leaseTransitions, leaseTransitions + 1);
  });

  it("tells whoever may read it where the watcher is, and no more once it is released", async () => {
    const one = await taken();
    assert.equal(holderOf(await lease(), Date.now()), `${hostname()}, process ${process.pid}`);
    await one.release();
    assert.equal(holderOf(await lease(), Date.now()), undefined);
  });

  it("is taken over when its holder is gone without a word, whatever the holder's clock said", async () => {
    // Far ahead: by the time that it names, it would be held for an hour yet.
    const ahead = new Date(Date.now() + 3_600_000).toISOString().replace("Z", "000Z");
    const { metadata } = await lease();
    await cluster.put(path, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name: watcherName,
        resourceVersion: metadata.resourceVersion,
        annotations: metadata.annotations,
      },
      spec: { holderIdentity: "gone", leaseDurationSeconds: 1, renewTime: ahead, acquireTime: ahead },
    });
    await taken();
    assert.match(said[0] ?? "", /another watcher has the environment \(gone, /);
  });

  it("is not taken by whoever is stopped while it waits", async () => {
    await taken();
    const stop = new AbortController();
    const second = take({ stop: stop.signal, log: () => stop.abort() });
    assert.equal(await second, undefined);
  });

  it("is lost once somebody else has it", async () => {
    const first = await taken();
    await cluster.patch(path, "merge", { spec: { holderIdentity: "thief" } });
    assert.match(await lost(first), /another watcher may take over: thief has taken it$/);
  });

  it("is made again by its holder when somebody removes it", async () => {
    const first = await taken();
    const { metadata, spec } = await lease();
    await remove(cluster, path, metadata);
    assert.equal(await holderAfter(""), spec?.holderIdentity);
    assert(!first.lost.aborted, first.lost.reason as Error);
  });

  it("stays when somebody else writes to it beside its holder", async () => {
    const first = await taken();
    const { holderIdentity } = (await lease()).spec ?? {};
    const { metadata } = await cluster.patch<V1Lease & Labelled>(path, "merge", {
      metadata: { labels: { mine: "too" } },
    });
    while ((await lease()).metadata.resourceVersion === metadata.resourceVersion);
    assert.equal((await lease()).spec?.holderIdentity, holderIdentity);
    assert(!first.lost.aborted, first.lost.reason as Error);
  });

  it("is lost by who has no way to the cluster any more, before another takes it", async () => {
    const way = await Way.open();
    try {
      const first = await taken({ cluster: way.cluster });
      const { holderIdentity = "" } = (await lease()).spec ?? {};
      way.cut();
      const second = taken();
      const order = [lost(first).then(() => "lost"), holderAfter(holderIdentity).then(() => "taken")];
      assert.equal(await Promise.race(order), "lost");
      assert.match(await lost(first), /cannot be held any longer/);
      await second;
    } finally {
      way.close();
    }
  });

  it("of another environment is not taken", async () => {
    await taken();
    await assert.rejects(
      take({ environment: "other/dev" }),
      new RegExp(
        `the Lease ${watcherName} in the namespace ${namespace} is of the environment ${environment}: give this one another namespace`,
      ),
    );
  });

  it("is taken where the namespace is yet to be made, and held as soon as it is", async () => {
    const later = `${namespace}-later`;
    const first = await taken({ namespace: later });
    const made = await cluster.post<Labelled>(pathOf(resources.namespaces), {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: later },
    });
    const there = () => cluster.get(pathOf(resources.leases, later, watcherName)).catch(() => undefined);
    while (!(await there())) await new Promise((next) => setTimeout(next, 50));
    assert(!first.lost.aborted);
    await first.release();
    await remove(cluster, pathOf(resources.namespaces, undefined, later), made.metadata);
  });
});
