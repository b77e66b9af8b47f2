// Runs the rendered workflows on this machine by act, without containers: the actions that would have to be fetched are
// stood in for by folders of this project.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import pins from "../../workflows/actionPins.json";
import type { EndedJob } from "../github/routes/runs";
import { run } from "./programs";
import { host, type Shop } from "./shop";

const root = resolve(__dirname, "../..");
const base = process.env["TAGALONG_BASE_IMAGE"] ?? `${host}/tagalong/base:node20`;

/**
 * The example's files, its images made from the base that is here, without running their tests once more. No step of
 * theirs is in anybody else's cache, so that nobody who tidies up takes a layer from under a build.
 */
export function example(shop: Shop): void {
  cpSync(join(root, "examples/shop"), shop.work, { recursive: true });
  for (const image of shop.images) {
    const file = join(shop.work, image, "Dockerfile");
    const text = readFileSync(file, "utf8")
      .replace(/^ARG BASE=.*$/m, `ARG BASE=${base}`)
      .replace(/^RUN node --test .*\n/m, "")
      .replaceAll(/^FROM .*$/gm, `$&\nLABEL test=${shop.repository(image)}`);
    writeFileSync(file, text);
  }
}

/** How a job ended, by its name; a job that did not run is missing. */
export type Jobs = Record<string, EndedJob["conclusion"]>;

/** One line that act says. */
interface Line {
  job?: string;
  jobResult?: string;
  msg: string;
}

export interface RunOptions {
  /** For every job. */
  env?: NodeJS.ProcessEnv;
  /** The run's own token. */
  token?: string;
  /** Told of each job when it has ended. */
  onJob?: (job: EndedJob) => void;
}

export class Act {
  readonly #standins: string[] = [];
  readonly #artifacts: string;

  constructor(
    private readonly program: string,
    private readonly shop: Shop,
  ) {
    this.#artifacts = join(shop.folder, "artifacts");
    for (const [action, pin] of Object.entries(pins)) {
      const name = action.split("/")[1] ?? "";
      const from = join(__dirname, "standins", name);
      if (!existsSync(from)) continue;
      const to = join(shop.folder, "actions", name);
      cpSync(from, to, { recursive: true });
      const ada = ["-c", "user.name=Ada", "-c", "user.email=ada@acme.example"];
      for (const args of [
        ["init", "--quiet"],
        ["add", "--all"],
        [...ada, "commit", "--quiet", "--message", "x"],
      ])
        run("git", args, to);
      this.#standins.push("--local-repository", `${action}@${pin.split(" ")[1]}=${to}`);
    }
  }

  /** Runs one workflow for an event. */
  async run(
    workflow: string,
    event: string,
    payload: unknown,
    { env = {}, token = "token", onJob }: RunOptions = {},
  ) {
    const { folder, work, origin, path: images } = this.shop;
    rmSync(this.#artifacts, { recursive: true, force: true });
    mkdirSync(this.#artifacts);
    const eventFile = join(folder, "event.json");
    writeFileSync(eventFile, JSON.stringify(payload));
    const runners = ["ubuntu-24.04", "ubuntu-24.04-arm"].flatMap((label) => ["-P", `${label}=-self-hosted`]);
    // act takes the repository's name from the origin, which is a folder here.
    const given = {
      GITHUB_REPOSITORY: "acme/shop",
      ORIGIN: origin,
      ARTIFACTS: this.#artifacts,
      IMAGES: `${host}/${images}`,
      ...env,
    };
    const args = [
      ...[event, "--workflows", `.github/workflows/${workflow}.yml`, "--eventpath", eventFile, "--json"],
      // Without a value, act takes a secret from its own environment.
      ...["--action-offline-mode", "--no-skip-checkout", "--secret", "GITHUB_TOKEN", ...runners],
      ...["--action-cache-path", join(folder, "cache"), "--cache-server-path", join(folder, "cache-server")],
      ...this.#standins,
      ...Object.entries(given).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ];
    const path = [process.env["TAGALONG_LINTERS"], process.env["PATH"]].filter(Boolean).join(delimiter);
    const child = spawn(this.program, args, {
      cwd: work,
      // Jobs at once share maps that act does not guard; on one thread they do not meet there.
      env: { ...process.env, PATH: path, HOME: folder, GITHUB_TOKEN: token, GOMAXPROCS: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const lines: Line[] = [];
    const jobs: Jobs = {};
    const hear = (text: string) => {
      const line = (text.startsWith("{") ? JSON.parse(text) : { msg: text }) as Line;
      lines.push(line);
      const { job, jobResult } = line;
      if (job === undefined || jobResult === undefined) return;
      const name = nameOf(job);
      jobs[name] = jobResult === "success" ? "success" : "failure";
      onJob?.({ name, conclusion: jobs[name], log: lines.filter((one) => one.job === job).map(logLine) });
    };
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on("line", hear);
    const [status] = (await once(child, "close")) as [number | null];
    return { status, jobs, said: lines.map(({ msg }) => String(msg).trimEnd()).join("\n") };
  }

  /** Removes what was built, with the cache of it. */
  close(): void {
    const { folder, path } = this.shop;
    const { said } = run("docker", ["images", "--quiet", "--filter", `reference=${host}/${path}/*`], folder);
    const ids = new Set(said.split("\n").filter(Boolean));
    if (ids.size > 0) run("docker", ["rmi", "--force", ...ids], folder);
  }
}

/** act pads the names, and counts the jobs of a matrix. */
const nameOf = (job: string): string => job.replace(/^[^/]*\//, "").replace(/(?:-\d)? *$/, "");

/** As the page of a run shows what a program marked as an error. */
const logLine = ({ msg }: Line): string =>
  String(msg)
    .trimEnd()
    .replace(/^.*?::error::/, "##[error]");
