// What the bench makes of rolls on a cluster.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type * as Peaks from "../../../bench/kubernetes/peaks.mjs";
import type * as Plot from "../../../bench/kubernetes/plot.mjs";
import type * as Readiness from "../../../bench/kubernetes/readiness.mjs";
import type * as Report from "../../../bench/kubernetes/report.mjs";
import { importTool } from "../tools/import-module";

const roll = (
  ms: number,
  megabytes: number,
  cpuSeconds: number,
): Parameters<typeof Report.row>[2]["kubectl"][0] => ({
  ms,
  from: 1_000,
  marks: { ready: 1_000 + ms },
  processes: { kubectl: { megabytes, cpuSeconds } },
});
const rows = async (...deployments: number[]) => {
  const { row } = await importTool<typeof Report>("../bench/kubernetes/report.mjs");
  const kubectl = [roll(4_000, 90, 0.3), roll(5_000, 110, 0.5), roll(9_000, 100, 0.4)];
  const tagalong = kubectl.map((one) => ({ ...one, ms: one.ms * 2 }));
  return deployments.map((one) => row(one, 0.5, { tagalong, kubectl }));
};

describe("the bench's rolls on a cluster", () => {
  it("make a row of the median time, the most memory and the median CPU time", async () => {
    const [row] = await rows(10);
    assert(row);
    assert.deepEqual([row.pods, row.kubectl.ms, row.tagalong.ms, row.ratio], [50, 5_000, 10_000, 2]);
    assert.deepEqual(row.kubectl.processes, { kubectl: { megabytes: 110, cpuSeconds: 0.4 } });
    assert.deepEqual(row.kubectl.phases, [{ phase: "ready", atMs: 5_000, tookMs: 5_000 }]);
  });

  it("are over when the Deployment's own generation was observed, and all pods are the new ones", async () => {
    const { isReady } = await importTool<typeof Readiness>("../bench/kubernetes/readiness.mjs");
    const all = { replicas: 5, updatedReplicas: 5, readyReplicas: 5, availableReplicas: 5 };
    const table: [string, boolean, Record<string, number>][] = [
      ["all is new", true, { observedGeneration: 3, ...all }],
      ["the status is of the generation before", false, { observedGeneration: 2, ...all }],
      ["an old pod is left", false, { observedGeneration: 3, ...all, replicas: 6 }],
      ["an old pod is one of the ready", false, { observedGeneration: 3, ...all, updatedReplicas: 4 }],
      ["a pod is not ready", false, { observedGeneration: 3, ...all, readyReplicas: 4 }],
      ["nothing is known", false, {}],
    ];
    const metadata = { name: "s001", generation: 3, resourceVersion: "1" };
    const spec = { template: { spec: { containers: [{ image: "app" }] } } };
    for (const [what, expected, status] of table)
      assert.equal(isReady({ metadata, spec, status }), expected, what);
  });

  it("are drawn with the largest number at the right, and the slower side above", async () => {
    const { growth } = await importTool<typeof Plot>("../bench/kubernetes/plot.mjs");
    const svg = growth(await rows(1, 100, 200));
    const [tagalong, kubectl] = [...svg.matchAll(/polyline points="([^"]+)"/g)].map(([, points = ""]) =>
      points.split(" ").map((point) => point.split(",").map(Number)),
    );
    const xs = (tagalong ?? []).map(([x = Number.NaN]) => x);
    assert.equal(xs.length, 3);
    assert(
      xs.every((x, index) => x > (xs[index - 1] ?? 0)),
      `not from left to right: ${xs}`,
    );
    assert(
      (tagalong?.[0]?.[1] ?? Number.NaN) < (kubectl?.[0]?.[1] ?? Number.NaN),
      "the slower one is not above",
    );
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
  });

  it("know the most memory that a process had, after it has given it back", async function () {
    if (process.platform !== "linux") this.skip();
    const { peaksOf } = await importTool<typeof Peaks>("../bench/kubernetes/peaks.mjs");
    const script = `Buffer.alloc(300e6, 1); gc(); process.stdout.write("free"); setInterval(() => {}, 60_000)`;
    const child = spawn(process.execPath, ["--expose-gc", "-e", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      assert(child.pid !== undefined);
      const fromTheBeginning = peaksOf(child.pid);
      await once(child.stdout, "data");
      const { node } = peaksOf(child.pid).end();
      assert((node?.megabytes ?? 0) >= 300, `${node?.megabytes} MB`);
      assert((fromTheBeginning.end()["node"]?.cpuSeconds ?? 0) > 0, "no CPU time");
      assert.deepEqual(peaksOf(child.pid, "kubectl").end(), {});
    } finally {
      child.kill();
    }
  });
});
