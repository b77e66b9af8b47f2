// How the gate looks at replicas on a Docker engine: their state from the engine, their health from a probe.
import { setMaxListeners } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import type Docker from "dockerode";
import { enoughAnswers, judgeReplica, type ReplicaSight, tooSlow } from "../../rollout/gate";
import type { Judged, Lookout } from "../lookout";
import { engineMessage, execute, isEngineError, lastLines } from "./engine";

export interface DockerService extends Record<string, unknown> {
  /** repository@digest that each replica must run. */
  reference: string;
  /** Ids of the replicas. */
  replicas: string[];
  /** The port it listens on, where it has one. */
  port?: number;
  /** Path of the HTTP probe; without one the image's own HEALTHCHECK counts, then the open port, then staying up. */
  path?: string;
}

export interface DockerGateInputs extends Record<string, unknown> {
  services: Record<string, DockerService>;
  /** The network on which the replicas are probed. */
  network: string;
  /** The container from which to probe where this machine has no route to the network; "" where there is none. */
  edge: string;
  deadlineMs: number;
  /** Records of the rejections that the images have on them already: with another one, it is another try. */
  tried?: string[];
}

const probeTimeoutMs = 5000;
/** How often a running replica's restarts are counted; the probe is what runs at each look. */
const inspectEveryMs = 250;

interface Replica {
  service: string;
  plan: DockerService;
  name: string;
  details: Docker.ContainerInspectInfo | undefined;
  inspectedAt: number;
  /** Restarts from before this look-out, which say nothing about this roll. */
  formerRestarts: number | undefined;
  goodAnswers: number;
  lastAnswer: string | undefined;
}

type Answer = { good: boolean; said: string };

export class DockerLookout implements Lookout {
  /** Ids of all replicas. */
  private readonly replicas: readonly string[];
  private readonly known = new Map<string, Replica>();
  private readonly imageIds = new Map<string, string>();
  private reach: "direct" | "through the edge" | undefined;

  constructor(
    private readonly docker: Docker,
    private readonly inputs: DockerGateInputs,
  ) {
    for (const [service, plan] of Object.entries(inputs.services)) {
      for (const id of plan.replicas) {
        this.known.set(id, {
          service,
          plan,
          name: id,
          details: undefined,
          inspectedAt: 0,
          formerRestarts: undefined,
          goodAnswers: 0,
          lastAnswer: undefined,
        });
      }
    }
    this.replicas = [...this.known.keys()];
  }

  get verdict(): string {
    const count = this.replicas.length;
    return `${count} ${count === 1 ? "replica" : "replicas"} healthy, ${enoughAnswers} good answers in a row each`;
  }

  async judge(passed: ReadonlySet<string>, patience: AbortSignal): Promise<Judged[]> {
    const waiting = this.replicas.filter((id) => !passed.has(id));
    return (await this.lookAtAll(waiting, patience)).map(([id, sight]) => {
      const decision = judgeReplica(sight);
      const { service, wanted: reference } = sight;
      if (decision.kind !== "wait" || !patience.aborted) return { id, service, reference, decision };
      const reason = tooSlow(sight, this.inputs.deadlineMs);
      return { id, service, reference, decision: { kind: "fail", reason } };
    });
  }

  look(signal: AbortSignal): Promise<[string, ReplicaSight][]> {
    return this.lookAtAll(this.replicas, signal);
  }

  close(): void {}

  /** One look at each of the replicas, all at once. */
  private async lookAtAll(ids: readonly string[], signal: AbortSignal): Promise<[string, ReplicaSight][]> {
    setMaxListeners(0, signal); // one probe a replica listens to it, however many there are
    return Promise.all(
      ids.map(async (id): Promise<[string, ReplicaSight]> => [id, await this.lookAt(id, signal)]),
    );
  }

  /** What the replica last wrote; empty where it cannot be read any more. */
  async lastLines(id: string, count: number): Promise<string[]> {
    return lastLines(this.docker, id, count).catch(() => []);
  }

  private async lookAt(id: string, signal: AbortSignal): Promise<ReplicaSight> {
    const replica = this.known.get(id);
    if (!replica) throw new Error(`no replica ${id}`);
    if (Date.now() - replica.inspectedAt >= inspectEveryMs) await this.inspect(id, replica);
    const probe = probeOf(replica);
    if (replica.details?.State.Running && !replica.details.State.Restarting && probe !== "none") {
      const answer = await this.probe(id, replica, probe, signal);
      replica.goodAnswers = answer.good ? replica.goodAnswers + 1 : 0;
      if (!signal.aborted || replica.lastAnswer === undefined) replica.lastAnswer = answer.said;
      // A probe that failed may be the sign of an exit: look again before the next one.
      if (!answer.good) replica.inspectedAt = 0;
    }
    return sightOf(replica, probe);
  }

  private async inspect(id: string, replica: Replica): Promise<void> {
    try {
      const details = await this.docker.getContainer(id).inspect();
      replica.name = details.Name.replace(/^\//, "");
      // The name it was made from says repository@digest; the image's id says that it is no other image by that name.
      const imageId = await this.imageId(replica.plan.reference);
      if (imageId !== undefined && details.Image !== imageId) details.Config.Image = details.Image;
      const isOld = Date.now() - Date.parse(details.Created) > this.inputs.deadlineMs;
      replica.formerRestarts ??= isOld ? details.RestartCount : 0;
      if (details.RestartCount > replica.formerRestarts && details.State.Running)
        details.State.ExitCode = await this.lastExitCode(id);
      replica.details = details;
      replica.inspectedAt = Date.now();
    } catch (error) {
      if (!isEngineError(error, 404))
        throw new Error(`the Docker engine stopped answering: ${engineMessage(error)}`);
      replica.details = undefined;
      replica.inspectedAt = Date.now();
    }
  }

  /** The id of an image; undefined where the engine does not know the name any more, which a container may outlive. */
  private async imageId(reference: string): Promise<string | undefined> {
    const known = this.imageIds.get(reference);
    if (known !== undefined) return known;
    try {
      const { Id } = await this.docker.getImage(reference).inspect();
      this.imageIds.set(reference, Id);
      return Id;
    } catch (error) {
      if (isEngineError(error, 404)) return undefined;
      throw error;
    }
  }

  /** The code of the last exit of a container that runs again, which its state no longer tells; -1 where nobody knows. */
  private async lastExitCode(id: string): Promise<number> {
    // In the past by then, so that the engine answers at once; it takes fractions, whatever its types say.
    const until = (Date.now() / 1000).toFixed(3) as unknown as number;
    const events = await this.docker.getEvents({
      since: 0,
      until,
      filters: { container: [id], event: ["die"] },
    });
    let text = "";
    for await (const chunk of events) text += chunk;
    const last = text.trim().split("\n").at(-1) ?? "";
    return last === ""
      ? -1
      : Number(
          (JSON.parse(last) as { Actor: { Attributes: { exitCode?: string } } }).Actor.Attributes.exitCode ??
            -1,
        );
  }

  private async probe(
    id: string,
    replica: Replica,
    probe: ReplicaSight["probe"],
    signal: AbortSignal,
  ): Promise<Answer> {
    if (probe === "healthcheck") return this.runHealthcheck(id, replica, signal);
    const address = replica.details?.NetworkSettings.Networks[this.inputs.network]?.IPAddress;
    const port = replica.plan.port ?? 0;
    if (!address) return { good: false, said: "it has no address yet" };
    this.reach ??= await this.findReach();
    const path = replica.plan.path ?? "/";
    if (this.reach === "direct")
      return probe === "http" ? getDirect(address, port, path, signal) : connectDirect(address, port);
    return this.probeThroughEdge(address, port, probe === "http" ? path : undefined, signal);
  }

  /** Whether this machine reaches the containers' network: a refused connection says yes, silence says no. */
  private async findReach(): Promise<"direct" | "through the edge"> {
    if (!this.inputs.edge) return "direct";
    const edge = await this.docker.getContainer(this.inputs.edge).inspect();
    const address = edge.NetworkSettings.Networks[this.inputs.network]?.IPAddress;
    const port = this.known.get(this.inputs.edge)?.plan.port;
    if (!address || !port) return "through the edge";
    const { code } = await connectDirect(address, port, 1000);
    return code === undefined || code === "ECONNREFUSED" ? "direct" : "through the edge";
  }

  private async probeThroughEdge(
    address: string,
    port: number,
    path: string | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    // Only what every busybox has; its own time limits are not among that.
    const seconds = String(probeTimeoutMs / 1000);
    const command = path
      ? ["timeout", seconds, "wget", "-q", "-O", "/dev/null", `http://${address}:${port}${path}`]
      : [
          "sh",
          "-c",
          `timeout ${seconds} nc -w ${seconds} ${address} ${port} </dev/null >/dev/null; [ $? -ne 1 ]`,
        ];
    const asked = path ? `GET ${path}` : `port ${port}`;
    try {
      const { exitCode, output } = await execute(this.docker, this.inputs.edge, command, signal);
      if (exitCode === 0) return { good: true, said: `good answer to ${asked}` };
      return { good: false, said: `no good answer to ${asked}: ${output.trim() || "none came"}` };
    } catch (error) {
      const why = signal.aborted ? "none came" : `the edge could not ask (${engineMessage(error)})`;
      return { good: false, said: `no good answer to ${asked}: ${why}` };
    }
  }

  /** Runs the image's own test, which the engine itself would run only every 30 seconds by default. */
  private async runHealthcheck(id: string, replica: Replica, signal: AbortSignal): Promise<Answer> {
    const [kind, ...rest] = replica.details?.Config.Healthcheck?.Test ?? [];
    const command = kind === "CMD-SHELL" ? ["/bin/sh", "-c", rest.join(" ")] : rest;
    try {
      const { exitCode, output } = await execute(this.docker, id, command, signal);
      return {
        good: exitCode === 0,
        said: `its HEALTHCHECK ended with code ${exitCode}${output.trim() ? `: ${output.trim().slice(-300)}` : ""}`,
      };
    } catch (error) {
      if (signal.aborted) return { good: false, said: "its HEALTHCHECK did not end" };
      return { good: false, said: `its HEALTHCHECK could not run: ${engineMessage(error)}` };
    }
  }
}

function probeOf(replica: Replica): ReplicaSight["probe"] {
  if (replica.plan.path !== undefined && replica.plan.port !== undefined) return "http";
  const test = replica.details?.Config.Healthcheck?.Test?.[0];
  if (test !== undefined && test !== "NONE" && test !== "") return "healthcheck";
  return replica.plan.port !== undefined ? "port" : "none";
}

function sightOf(replica: Replica, probe: ReplicaSight["probe"]): ReplicaSight {
  const { service, name, plan, details } = replica;
  const status = details?.State.Status;
  const startedAt = Date.parse(details?.State.StartedAt ?? "");
  return {
    service,
    name,
    wanted: plan.reference,
    runs: details?.Config.Image ?? "",
    state:
      details === undefined || status === "removing"
        ? "gone"
        : status === "running"
          ? "running"
          : status === "restarting"
            ? "restarting"
            : status === "exited" || status === "dead"
              ? "exited"
              : "starting",
    ...(details && details.State.ExitCode >= 0 ? { exitCode: details.State.ExitCode } : {}),
    outOfMemory: details?.State.OOMKilled ?? false,
    restarts: (details?.RestartCount ?? 0) - (replica.formerRestarts ?? 0),
    upForMs: Number.isNaN(startedAt) ? 0 : Date.now() - startedAt,
    probe,
    goodAnswers: replica.goodAnswers,
    ...(replica.lastAnswer === undefined ? {} : { lastAnswer: replica.lastAnswer }),
  };
}

function getDirect(host: string, port: number, path: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const asked = `GET ${path}`;
    const attempt = request(
      {
        host,
        port,
        path,
        agent: false,
        timeout: probeTimeoutMs,
        signal,
        headers: { "user-agent": "tagalong" },
      },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve({ good: status >= 200 && status < 400, said: `${status} to ${asked}` });
      },
    );
    attempt.once("timeout", () => attempt.destroy(new Error(`no answer within ${probeTimeoutMs / 1000} s`)));
    attempt.once("error", (error) =>
      resolve({ good: false, said: `no answer to ${asked}: ${error.message}` }),
    );
    attempt.end();
  });
}

function connectDirect(
  host: string,
  port: number,
  timeoutMs = probeTimeoutMs,
): Promise<Answer & { code?: string }> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const finish = (answer: Answer & { code?: string }) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => finish({ good: true, said: `port ${port} is open` }));
    socket.once("timeout", () =>
      finish({ good: false, said: `port ${port} does not answer`, code: "ETIMEDOUT" }),
    );
    socket.once("error", (error: NodeJS.ErrnoException) =>
      finish({
        good: false,
        said: `port ${port} is not open: ${error.message}`,
        code: error.code ?? "unknown",
      }),
    );
  });
}
