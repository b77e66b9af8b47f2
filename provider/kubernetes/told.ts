// What the cluster tells of a pod besides its state: its container's log, and what others have noted as events of it.
// Nobody needs it to judge a roll, so a missing permission leaves out a sentence and fails nothing.
import { setTimeout as pause } from "node:timers/promises";
import type { CoreV1Event } from "@kubernetes/client-node";
import type { ContainerSight } from "../../rollout/deployment";
import { pathOf, resources } from "./api";
import type { Cluster } from "./cluster";

const mostBytes = 64 * 1024;
/** How often the log of a container that has ended is asked for where there is none. */
const tries = 3;
const againMs = 300;

/** The last lines that a container wrote: before its last exit, where it had one. */
export async function lastLines(
  cluster: Cluster,
  namespace: string,
  pod: string,
  { name: container, state, ended }: ContainerSight,
  count: number,
): Promise<string[]> {
  const path = `${pathOf(resources.pods, namespace, pod)}/log`;
  const read = async (previous: boolean) => {
    const query = { container, previous, tailLines: count, limitBytes: mostBytes };
    return linesOf(await cluster.text(path, { query }).catch(() => ""), count);
  };
  const wasBefore = ended !== undefined && state !== "ended";
  for (let i = 0; i < tries; i++) {
    for (const previous of wasBefore ? [true, false] : [false, true]) {
      const lines = await read(previous);
      if (lines.length > 0) return lines;
    }
    // While the kubelet starts it again, there is neither the one nor the other for a moment.
    if (!ended || ended.message) break;
    await pause(againMs);
  }
  // The kubelet keeps the end of it in the pod's status too, where the pod asks for that.
  return linesOf(ended?.message ?? "", count);
}

/** Without control characters and what the log's own keeper says where there is none. */
const linesOf = (text: string, count: number): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.replace(/[\p{Cc}]/gu, " ").trimEnd())
    .filter((line) => line !== "" && !/^unable to retrieve container logs for/.test(line))
    .slice(-count);

/** What the last probe that failed had for an answer; undefined where nobody has noted that. */
export async function lastBadAnswer(
  cluster: Cluster,
  namespace: string,
  pod: string,
): Promise<string | undefined> {
  const unhealthy = (await eventsOf(cluster, namespace, pod)).filter(({ reason }) => reason === "Unhealthy");
  return unhealthy.at(-1)?.message?.trim().replace(/\s+/g, " ");
}

/** Whether an autoscaler has said that it adds a node for the pod: the cluster's own, or Karpenter. */
export async function isNodeComing(cluster: Cluster, namespace: string, pod: string): Promise<boolean> {
  return (await eventsOf(cluster, namespace, pod)).some(({ reason }) =>
    ["TriggeredScaleUp", "Nominated"].includes(reason ?? ""),
  );
}

async function eventsOf(cluster: Cluster, namespace: string, pod: string): Promise<CoreV1Event[]> {
  const fieldSelector = `involvedObject.kind=Pod,involvedObject.name=${pod}`;
  const path = pathOf(resources.events, namespace);
  const none = { items: [] };
  return (await cluster.list<CoreV1Event>(path, { query: { fieldSelector } }).catch(() => none)).items;
}
