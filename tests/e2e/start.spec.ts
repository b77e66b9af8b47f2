// `npm start` for real: killed in mid-story, told as JSON and kept, interrupted, with a GitHub and without. Each run finds
// what the one before left.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type * as StoryFolder from "../../tools/story-folder.mjs";
import { importTool } from "../unit/tools/import-module";

const execute = promisify(execFile);
const root = resolve(__dirname, "../..");

interface Told {
  environment: string;
  rolls: {
    service: string;
    from: string;
    to: string;
    pushedToServingMs: number;
    requests: number;
    failed: number;
  }[];
  refused: { service: string; digest: string; reason: string }[];
  promotions: Promotion[];
  refusedPromotions: { release: string; reason: string }[];
  rollbacks: Promotion[];
}

interface ToldOfGitHub extends Told {
  access: Record<"before" | "after", { what: string; state: string }[]>;
  githubDeployments: { environment: string; version: string; commit: string; states: string[] }[];
}

interface Promotion {
  release: string;
  images: Record<string, { from: string | null; to: string; digestPreserved: boolean }>;
}

function assertRolled({ environment, rolls, refused }: Told, said: string) {
  assert.equal(environment, "dev");
  assert.deepEqual(
    rolls.map(({ service }) => service),
    ["server", "client", "server", "client"],
  );
  for (const roll of rolls) {
    assert.equal(roll.failed, 0, said);
    assert.ok(roll.requests > 100, `${roll.requests} requests are no traffic`);
    assert.match(roll.from, /^sha256:[0-9a-f]{64}$/);
    assert.match(roll.to, /^sha256:[0-9a-f]{64}$/);
    assert.ok(roll.pushedToServingMs > 0 && roll.pushedToServingMs < 60_000, `${roll.pushedToServingMs} ms`);
  }
  // The second roll starts where the first one ended: what was refused in between never ran.
  assert.deepEqual([rolls[2]?.from, rolls[3]?.from], [rolls[0]?.to, rolls[1]?.to]);
  const ran = rolls.flatMap(({ from, to }) => [from, to]);
  assert.equal(new Set(ran).size, 6);
  assert.ok(refused.length > 0, "nothing was refused");
  for (const { service, digest, reason } of refused) {
    assert.ok(["server", "client"].includes(service), service);
    assert.ok(!ran.includes(digest), `${digest} ran and was refused`);
    assert.match(reason, /exited with code 3/);
  }
}

/** What Dev ran and found healthy is what Test gets. */
function assertPromoted({ rolls, promotions, refusedPromotions, rollbacks }: Told) {
  const [first, last] = [rolls[0]?.to, rolls[2]?.to];
  const steps = [...promotions, ...rollbacks].map(({ release, images }) => [release, images["server"]]);
  assert.deepEqual(steps.slice(1), [
    ["1.2.1", { from: first, to: last, digestPreserved: true }],
    ["1.1.0", { from: last, to: first, digestPreserved: true }],
  ]);
  assert.deepEqual([promotions[0]?.release, promotions[0]?.images["server"]?.to], ["1.1.0", first]);
  assert.deepEqual(
    refusedPromotions.map(({ release }) => release),
    ["1.2.0"],
  );
  assert.match(refusedPromotions[0]?.reason ?? "", /rejected in dev at .*exited with code 3/);
}

function assertTakenOver({ access }: ToldOfGitHub, said: string) {
  const states = (rows: ToldOfGitHub["access"]["before"]) =>
    ["settings", "rulesets", "actions", "workflow permissions", "environment dev", "environment test"].map(
      (what) => rows.find((row) => row.what === what)?.state,
    );
  assert.deepEqual([...new Set(states(access.before))], ["up"]);
  assert.deepEqual([...new Set(states(access.after))], ["ok"]);
  assert.match(said, /fixed by up .*merge: \[merge, rebase, squash\] → \[squash\]/);
  assert.match(said, /taken over {2}Repository: .*description.* made {8}RepositoryRuleset branch/s);
  assert.match(said, /nothing is removed/);
}

/** Each roll is a deployment of the commit that was pushed. */
function assertDeployed({ githubDeployments: deployments }: ToldOfGitHub, said: string) {
  assert.deepEqual(
    deployments.map(({ environment, version, states }) => [environment, version, states.at(-1)]),
    [
      ["dev", "1.0.0", "inactive"],
      ["dev", "1.1.0", "inactive"],
      ["dev", "1.2.0", "failure"],
      ["dev", "1.2.1", "success"],
      ["test", "1.1.0", "inactive"],
      ["test", "1.2.1", "inactive"],
      ["test", "1.1.0", "success"],
    ],
  );
  const pushed = [...said.matchAll(/pushed (\S+) \(commit ([0-9a-f]{7}),/g)];
  for (const { version, commit } of deployments) {
    const [, , short] = pushed.find(([, one]) => one === version) ?? [];
    assert.equal(commit.slice(0, 7), short, `${version} was pushed as ${short}`);
  }
}

describe("npm start", function () {
  this.timeout(600_000);

  const folder = join(root, ".work", "start");
  let place: StoryFolder.Place;
  const running = new Set<ChildProcess>();
  /** All that any run said. */
  let said = "";

  before(async () => {
    place = (await importTool<typeof StoryFolder>("story-folder.mjs")).place(folder);
  });

  after(async () => {
    for (const child of running) child.kill("SIGKILL");
    if ((await left()).length === 0) return;
    // A test failed: the next run tidies up, and is ended as soon as it has.
    const tidying = run();
    await tidying.until(/is to follow/);
    tidying.child.kill("SIGINT");
    await tidying.exit;
  });

  function run(...args: string[]) {
    const child = spawn(process.execPath, ["tools/run.mjs", "start", "--", ...args], { cwd: root });
    running.add(child);
    const heard = { out: "", err: "" };
    const listeners: (() => void)[] = [];
    const hear = (stream: "out" | "err") => (chunk: Buffer) => {
      heard[stream] += chunk;
      said += chunk;
      for (const listener of listeners) listener();
    };
    child.stdout.on("data", hear("out"));
    child.stderr.on("data", hear("err"));
    const exit = new Promise<number | null>((done) => {
      child.once("close", (code) => {
        running.delete(child);
        for (const listener of listeners) listener();
        done(code);
      });
    });
    const all = () => `${heard.out}\n${heard.err}`;
    const until = (pattern: RegExp) =>
      new Promise<void>((found, lost) => {
        const look = () => {
          if (pattern.test(all())) found();
          else if (!running.has(child)) lost(new Error(`it ended without ${pattern}:\n${all()}`));
        };
        listeners.push(look);
        look();
      });
    return { child, heard, exit, until, all };
  }

  async function left(): Promise<string[]> {
    const found = await Promise.all(
      [
        ["ps", "--all", "--format", "container {{.Names}}"],
        ["network", "ls", "--format", "network {{.Name}}"],
        ["volume", "ls", "--format", "volume {{.Name}}"],
      ].flatMap((list) =>
        place.environments.map(async (environment) => {
          const label = `label=dev.tagalong.environment=${environment}`;
          return (await execute("docker", [...list, "--filter", label])).stdout.split("\n");
        }),
      ),
    );
    return found.flat().filter(Boolean);
  }

  const recorded = () =>
    JSON.parse(readFileSync(join(place.folder, "run.json"), "utf8")) as {
      story: { pid: number };
      children: { name: string; pid: number }[];
    };
  const lives = (pid: number) => existsSync(`/proc/${pid}`);
  let orphans: number[] = [];
  let kept: { watcher: number; secrets: string[] };

  it("killed in the middle of a roll leaves what the next run needs to know", async () => {
    const story = run("--with-github");
    await story.until(/rolling/);
    process.kill(recorded().story.pid, "SIGKILL");
    await story.exit;
    assert.notDeepEqual(await left(), []);
    orphans = recorded().children.map(({ pid }) => pid);
  });

  it("after that tells the whole story, with no failed request; with --keep the shop, its watcher and its GitHub stay", async () => {
    const story = run("--with-github", "--json", "--keep");
    assert.equal(await story.exit, 0, story.all());
    assert.deepEqual(orphans.filter(lives), []);
    const told = JSON.parse(story.heard.out) as ToldOfGitHub;
    assertRolled(told, story.all());
    assertPromoted(told);
    assertTakenOver(told, story.heard.err);
    assertDeployed(told, story.heard.err);

    const url = /It stays up: (http:\S+\d)/.exec(story.heard.err)?.[1] ?? "";
    const passphraseFile = place.settings.PULUMI_CONFIG_PASSPHRASE_FILE;
    const pidOf = (name: string) => recorded().children.find((child) => child.name === name)?.pid ?? 0;
    const [watcher, github] = [pidOf("watch"), pidOf("github")];
    const secrets = [passphraseFile, place.githubToken].map((file) => readFileSync(file, "utf8"));
    kept = { watcher, secrets };
    assert.deepEqual([watcher, github].map(lives), [true, true], "the watcher or GitHub does not run");
    for (const file of [passphraseFile, place.githubToken]) assert.equal(statSync(file).mode & 0o777, 0o600);
    const answer = (await (await fetch(url)).json()) as { version: string; server: { version: string } };
    assert.deepEqual([answer.version, answer.server.version], ["1.2.1", "1.2.1"]);
    const api = /export GITHUB_API_URL=(http:\S+)/.exec(story.heard.err)?.[1] ?? "";
    const headers = { authorization: `Bearer ${secrets[1]}` };
    const head = `${api}/repos/acme/shop/git/commits/${told.githubDeployments[3]?.commit}`;
    assert.equal((await fetch(head, { headers })).status, 200);
    for (const hint of [
      ...["export PULUMI_BACKEND_URL=", "docker-build.sh", "tail -f", "pulumi destroy"],
      ...['export GITHUB_TOKEN="$(cat ', "tagalong access", "pulumi preview --stack repository"],
    ]) {
      assert.ok(story.heard.err.includes(hint), `it does not mention ${hint}`);
    }
    // When it ends, it says what was asked or answered that GitHub's own description does not allow.
    process.kill(github, "SIGTERM");
    while (lives(github)) await new Promise((passed) => setTimeout(passed, 50));
    assert.equal(readFileSync(join(place.folder, "logs", "github.log"), "utf8"), "");
  });

  it("ends what a kept one left, ports included; cleans up on Ctrl-C, says so, and ends with 130", async () => {
    const story = run();
    await story.until(/pushed 1\.0\.0/);
    assert.ok(!lives(kept.watcher), "the first run's watcher still runs");
    assert.ok(!story.all().includes("is taken"), story.all());
    // In the middle of the first `pulumi up`.
    await new Promise((passed) => setTimeout(passed, 3000));
    story.child.kill("SIGINT");
    assert.equal(await story.exit, 130, story.all());
    assert.match(story.heard.out, /interrupted: .*\n.*cleaned up/);
    assert.ok(!story.all().includes("failed"), story.all());
    assert.doesNotMatch(story.all(), /github/i, "it has one without being asked for it");
    assert.deepEqual(await left(), []);
    assert.deepEqual(readdirSync(place.folder), ["logs"]);
  });

  it("tells no secret", () => {
    const logs = readdirSync(join(place.folder, "logs")).map((file) =>
      readFileSync(join(place.folder, "logs", file), "utf8"),
    );
    for (const secret of kept.secrets) {
      assert.ok(secret.length > 20);
      assert.ok(!said.includes(secret) && !logs.join("").includes(secret));
    }
  });
});
