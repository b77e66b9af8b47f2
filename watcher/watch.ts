// The watcher: observe the tags, decide, roll, see that it stays well. It remembers nothing that it cannot find out
// again: what runs is what the stack's state says, what should run is what the registry says.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Release, ReleasedImage } from "../components/release";
import { ConfigError, type EnvironmentConfig } from "../config";
import { checkStackFile } from "../config/stackFile";
import { connectEngine } from "../provider/docker/engine";
import { pullImage } from "../provider/docker/pull";
import type { GateInputs } from "../provider/gate";
import {
  type CredentialLookup,
  credentialLookup,
  formatReference,
  type Reference,
  RegistryClient,
  RegistryError,
} from "../registry";
import type { Agreement } from "../rollout/lockstep";
import { type Carried, type Plan, plan } from "../rollout/plan";
import { judgeFailures, type Verdict } from "../rollout/verdict";
import { agreement, describe, followed } from "./decide";
import type { Log } from "./log";
import { type Failure, type Program, Runner } from "./runner";
import { lostReplicas, soak } from "./vigil";

export interface WatchOptions {
  stack: string;
  /** The project's folder. */
  directory: string;
  program: Program;
  log: Log;
  /** Ends the watcher at the next safe point: a roll under way is finished first. */
  stop: AbortSignal;
  /** Cancels a roll under way too. */
  abort: AbortSignal;
}

/** While tags are on the move, the next look comes sooner than the interval, but only so often. */
const quickLook = { everyMs: 200, times: 25 };
const vigilEveryMs = 10_000;
const longestBackOffMs = 60_000;

/** @throws ConfigError, or Error where it cannot start; from then on nothing but `stop` ends it */
export async function watch(options: WatchOptions): Promise<void> {
  const project = readProject(options.directory);
  const runner = await Runner.open({ ...options, project });
  try {
    await new Watcher(options, runner).run();
  } finally {
    runner.close();
  }
}

class Watcher {
  private config: EnvironmentConfig;
  private configStamp: string;
  private references: Record<string, Reference> = {};
  private credentials: CredentialLookup = credentialLookup();
  private client = new RegistryClient();
  private running: Release = {};
  private claim = "";
  private gate: GateInputs | undefined;
  private readonly carried: Record<string, Carried<ReleasedImage>> = {};
  private readonly unsure = new Map<string, string>();
  /** `image@digest` → why it may not roll and for which configuration that was found. */
  private readonly rejected = new Map<string, { reason: string; configuration: string }>();
  private agreed: { key: string; agreement: Agreement; at: number } | undefined;
  private lastSaid = "";
  private quickLooks = 0;
  private retry = { key: "", attempts: 0, notBefore: 0 };
  private lastVigil = 0;

  constructor(
    private readonly options: WatchOptions,
    private readonly runner: Runner,
  ) {
    this.configStamp = stampOf(options);
    this.config = readConfigFiles(options);
  }

  async run(): Promise<void> {
    const { log, options } = { log: this.options.log, options: this.options };
    await this.adoptConfig(this.config);
    await this.runner.recover();
    const outputs = await this.runner.outputs();
    this.running = (outputs["release"]?.value ?? {}) as Release;
    this.claim = (outputs["claim"]?.value ?? "") as string;
    const tags = Object.values(this.references).map(formatReference);
    log("watching", `${tags.join(", ")}, every ${this.config.rollout.interval / 1000} s`, {
      environment: options.stack,
      tags,
    });
    let first = true;
    while (!options.stop.aborted) {
      const started = Date.now();
      const due = await this.turn(first);
      if (due.settled) first = false;
      const rest = Math.max(0, started + due.inMs - Date.now());
      await pause(rest, options.stop);
    }
    await this.client.close();
    log("stopped", "the environment stays as it is", { environment: options.stack });
  }

  /** One round: look, decide, do. Says when the next is due, and whether the environment is where it should be. */
  private async turn(first: boolean): Promise<{ inMs: number; settled: boolean }> {
    const { interval } = this.config.rollout;
    try {
      await this.followConfig();
      await this.observe();
      const decision = await this.decide();
      if (decision.kind === "roll") {
        if (Date.now() < this.retry.notBefore) return { inMs: interval, settled: false };
        await this.roll(decision.release);
        return { inMs: 0, settled: true };
      }
      if (decision.kind === "wait") {
        this.sayOnce("waiting", decision.reason);
        if (decision.untilMs !== undefined)
          return { inMs: Math.min(interval, decision.untilMs), settled: false };
        const moving = Object.keys(this.carried).length > 0 && this.quickLooks++ < quickLook.times;
        return { inMs: moving ? Math.min(interval, quickLook.everyMs) : interval, settled: false };
      }
      if (decision.kind === "refuse") {
        const [one] = decision.refused;
        this.sayOnce("refused", `${one?.image} ${short(one?.digest)}: ${one?.reason}`, {
          refused: decision.refused,
        });
      } else this.lastSaid = "";
      if (Object.keys(this.running).length > 0) await this.keepVigil(first);
      return { inMs: interval, settled: true };
    } catch (error) {
      this.sayOnce("failed", messageOf(error));
      return { inMs: interval, settled: false };
    }
  }

  /** Reads the stack's files again when they have changed; a broken edit keeps the config as it was, and is said. */
  private async followConfig(): Promise<void> {
    const stamp = stampOf(this.options);
    if (stamp === this.configStamp) return;
    this.configStamp = stamp;
    const config = readConfigFiles(this.options);
    await this.adoptConfig(config);
    this.options.log("config", "the stack's config was read again");
  }

  private async adoptConfig(config: EnvironmentConfig): Promise<void> {
    let explicit = {};
    if (Object.keys(config.registries).length > 0) {
      explicit = JSON.parse((await this.runner.config("tagalong:registries")) ?? "{}");
    }
    this.config = config;
    this.references = followed(config);
    for (const image of Object.keys(this.carried)) if (!this.references[image]) delete this.carried[image];
    this.credentials = credentialLookup(explicit);
    await this.client.close();
    this.client = new RegistryClient({ credentials: this.credentials });
  }

  /** One look at every tag, all at once. */
  private async observe(): Promise<void> {
    const { log } = this.options;
    const looks = Object.entries(this.references).map(async ([image, reference]) => {
      const name = formatReference(reference);
      const known = this.carried[image]?.image.digest ?? this.running[image]?.digest;
      const seen = await this.client.observe(reference, known);
      if (seen.kind === "unknown") {
        if (this.unsure.get(image) !== seen.reason)
          log("unknown", `${name}: ${seen.detail}`, { image, reason: seen.reason });
        this.unsure.set(image, seen.reason);
        return;
      }
      if (this.unsure.delete(image)) log("sure", `${name}: the registry answers again`, { image });
      if (seen.digest === this.carried[image]?.image.digest) return;
      const described = await describe(this.client, reference, seen.digest);
      this.carried[image] = { image: described, movedAt: Date.now() };
      this.quickLooks = 0;
      if (this.running[image]?.digest === seen.digest) return;
      log("moved", `${name} to ${title(described)}`, {
        image,
        digest: seen.digest,
        from: this.running[image]?.digest,
      });
      // Pulled while the others move: it is on the engine when the roll starts, or the roll says why not.
      void pullImage(connectEngine(), described.reference, this.credentials, this.options.abort).catch(
        () => {},
      );
    });
    await Promise.all(looks);
  }

  private async decide(): Promise<Plan<ReleasedImage>> {
    const images = Object.keys(this.references);
    const next = Object.fromEntries(
      images.flatMap((image) => {
        const one = this.carried[image]?.image ?? this.running[image];
        return one ? [[image, one]] : [];
      }),
    );
    return plan({
      running: this.running,
      carried: this.carried,
      images,
      rejection: (image, digest) => {
        const found = this.rejected.get(`${image}@${digest}`);
        return found?.configuration === this.configurationOf(image) ? found.reason : undefined;
      },
      lockstep: this.config.rollout.lockstep,
      agreement: this.config.rollout.lockstep ? await this.agreementOf(next) : { kind: "agreed" },
      settleMs: this.config.rollout.settle,
      now: Date.now(),
    });
  }

  /** Asked of the registry once for what the tags carry, and again only after an interval. */
  private async agreementOf(release: Release): Promise<Agreement> {
    const key = JSON.stringify(Object.values(release).map(({ digest }) => digest));
    const fresh =
      this.agreed?.key === key &&
      (this.agreed.agreement.kind === "agreed" || Date.now() - this.agreed.at < this.config.rollout.interval);
    if (!this.agreed || !fresh) {
      this.agreed = {
        key,
        agreement: await agreement(this.client, this.references, release),
        at: Date.now(),
      };
    }
    return this.agreed.agreement;
  }

  private async roll(release: Release): Promise<void> {
    const { log } = this.options;
    const changed = Object.entries(release).filter(
      ([image, { digest }]) => this.running[image]?.digest !== digest,
    );
    const facts = { environment: this.options.stack, release: factsOf(release), from: factsOf(this.running) };
    log("rolling", changed.map(([image, one]) => `${image} to ${title(one)}`).join(", "), facts);
    const result = await this.runner.up(release, {
      signal: this.options.abort,
      onLive: () => log("live", "the traffic goes to the new one", facts),
    });
    if (!result.ok) return this.goBack(release, changed, judgeFailures(result.failures), result.failures);

    this.gate = result.gate;
    const unwell = result.gate
      ? await soak(result.gate, this.config.rollout.soak, this.options.stop)
      : undefined;
    if (unwell) return this.goBack(release, changed, { kind: "rejected", services: unwell }, []);
    if (this.options.stop.aborted) return; // no verdict: whoever comes next finds it running
    this.running = release;
    this.retry = { key: "", attempts: 0, notBefore: 0 };
    log(
      "healthy",
      `${changed.map(([image]) => image).join(", ")} stayed well for ${this.config.rollout.soak / 1000} s`,
      facts,
    );
  }

  /** After a failed roll: remembers what may not roll again, and returns to what ran before. */
  private async goBack(
    release: Release,
    changed: [string, ReleasedImage][],
    verdict: Verdict,
    failures: Failure[],
  ): Promise<void> {
    const { log, abort } = this.options;
    if (verdict.kind === "rejected") {
      const found = verdict.services.flatMap(({ service, reason }) => {
        const image = this.config.services[service]?.image ?? "";
        const digest = release[image]?.digest;
        return digest && changed.some(([name]) => name === image) ? [{ service, image, digest, reason }] : [];
      });
      // A failure that no changed image explains (a worker that an old one broke) still must not be tried forever.
      const rejected =
        found.length > 0
          ? found
          : changed.map(([image, { digest }]) => ({
              service: image,
              image,
              digest,
              reason: verdict.services[0]?.reason ?? "the roll failed",
            }));
      for (const { image, digest, reason } of rejected) {
        this.rejected.set(`${image}@${digest}`, { reason, configuration: this.configurationOf(image) });
      }
      log(
        "rejected",
        rejected.map(({ service, digest, reason }) => `${service} ${short(digest)}: ${reason}`).join("; "),
        {
          environment: this.options.stack,
          failures: rejected.map(({ service, digest, reason }) => ({ service, digest, reason })),
          detail: failures.map(({ message }) => message),
        },
      );
    } else {
      const key = JSON.stringify(factsOf(release));
      const attempts = this.retry.key === key ? this.retry.attempts + 1 : 1;
      const waitMs = Math.min(longestBackOffMs, 1000 * 2 ** attempts);
      this.retry = { key, attempts, notBefore: Date.now() + waitMs };
      log("failed", `${verdict.reason}; next try in ${waitMs / 1000} s`, {
        detail: failures.map(({ message }) => message),
      });
    }
    if (Object.keys(this.running).length === 0 || abort.aborted) return;
    const back = await this.runner.up(this.running, { signal: abort });
    if (back.ok) {
      this.gate = back.gate;
      log(
        "returned",
        `the environment runs ${Object.entries(this.running)
          .map(([image, one]) => `${image} ${title(one)}`)
          .join(", ")}`,
        { release: factsOf(this.running) },
      );
    } else {
      log(
        "failed",
        `it could not be tidied up: ${back.failures.map(({ message }) => firstLine(message)).join("; ")}`,
        { detail: back.failures },
      );
      this.lastVigil = 0;
    }
  }

  /** Sees to it that what should run does: containers that somebody removed are made again. */
  private async keepVigil(first: boolean): Promise<void> {
    if (!first && Date.now() - this.lastVigil < vigilEveryMs) return;
    this.lastVigil = Date.now();
    const lost = this.claim === "" || !this.gate ? [] : await lostReplicas(this.gate);
    if (!first && lost.length === 0) return;
    if (lost.length > 0) this.options.log("failed", `gone from the engine: ${lost.join(", ")}`, { lost });
    const result = await this.runner.up(this.running, {
      signal: this.options.abort,
      refresh: first || lost.length > 0,
    });
    if (result.ok) {
      this.gate = result.gate;
      if (lost.length > 0) this.options.log("repaired", `runs again: ${lost.join(", ")}`, { lost });
    } else
      this.sayOnce("failed", result.failures.map(({ message }) => firstLine(message)).join("; "), {
        detail: result.failures,
      });
  }

  /** What of the config the image's containers are made from. */
  private configurationOf(image: string): string {
    return JSON.stringify(Object.values(this.config.services).filter((service) => service.image === image));
  }

  /** A state that lasts is said when it begins, not at every look. */
  private sayOnce(
    event: "waiting" | "refused" | "failed",
    message: string,
    facts: Record<string, unknown> = {},
  ): void {
    if (this.lastSaid === `${event} ${message}`) return;
    this.lastSaid = `${event} ${message}`;
    this.options.log(event, message, facts);
  }
}

const short = (digest = ""): string => digest.slice(0, "sha256:".length + 12);
const title = ({ version, digest }: ReleasedImage): string =>
  version ? `${version} (${short(digest)})` : short(digest);
const firstLine = (text: string): string => text.split("\n")[0] ?? "";
const messageOf = (error: unknown): string =>
  error instanceof RegistryError || error instanceof Error ? error.message : String(error);
const factsOf = (release: Release) =>
  Object.fromEntries(
    Object.entries(release).map(([image, { digest, version, revision }]) => [
      image,
      { digest, version, revision },
    ]),
  );

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    }
    stop.addEventListener("abort", done);
  });
}

function readProject(directory: string): string {
  const file = join(directory, "Pulumi.yaml");
  if (!existsSync(file))
    throw new Error(`no Pulumi.yaml in ${directory}: run in the project's folder, or name it with --cwd`);
  const { name } = (parse(readFileSync(file, "utf8")) ?? {}) as { name?: string };
  if (!name) throw new Error(`${file} has no name`);
  return name;
}

const filesOf = ({ directory, stack }: WatchOptions): [string, string] => [
  join(directory, "Pulumi.yaml"),
  join(directory, `Pulumi.${stack}.yaml`),
];

const stampOf = (options: WatchOptions): string =>
  filesOf(options)
    .map((file) => (existsSync(file) ? `${statSync(file).mtimeMs} ${statSync(file).size}` : ""))
    .join();

function readConfigFiles(options: WatchOptions): EnvironmentConfig {
  const [project, stack] = filesOf(options).map((file) => {
    if (!existsSync(file))
      throw new Error(`${file} is missing: the watcher reads the stack's config from it`);
    return readFileSync(file, "utf8");
  });
  const config = checkStackFile(project ?? "", stack ?? "", options.stack);
  if (config.kind === "repository")
    throw new ConfigError(options.stack, [
      { path: ["repository"], text: "this stack has no environment to watch — watch dev, for example" },
    ]);
  return config;
}
