// What every rendered workflow promises, and what the config changes in it.
import assert from "node:assert/strict";
import { parse } from "yaml";
import { validateConfig } from "../../../config";
import { SIGN, sealOf } from "../../../github/files/seal";
import { renderWorkflows, settingsFor } from "../../../workflows";
import pins from "../../../workflows/actionPins.json";
import { matrix, render, repository, textOf } from "./given";

interface Step {
  uses?: string;
  run?: string;
  if?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}
interface Job {
  permissions: Record<string, string>;
  needs?: string[];
  if?: string;
  environment?: string;
  uses?: string;
  "timeout-minutes"?: number;
  steps?: Step[];
}
interface Workflow {
  permissions: Record<string, string>;
  concurrency: unknown;
  on: Record<string, Record<string, unknown>>;
  jobs: Record<string, Job>;
}

const workflowsOf = (files: ReturnType<typeof render>) =>
  files.filter(({ path }) => path.startsWith(".github/workflows/"));
const parsed = (files: ReturnType<typeof render>, name: string): Workflow =>
  parse(textOf(files, `.github/workflows/${name}.yml`));
const names = (files: ReturnType<typeof render>) =>
  workflowsOf(files).map(({ path }) => path.replace(/^.*\/|\.yml$/g, ""));

for (const [title, config] of Object.entries(matrix)) {
  describe(`The workflows for ${title}`, () => {
    const files = renderWorkflows(config);
    const jobs = workflowsOf(files).flatMap(({ path, text }) =>
      Object.entries((parse(text) as Workflow).jobs).map(([id, job]) => ({ at: `${path}: ${id}`, job })),
    );
    const steps = jobs.flatMap(({ at, job }) => (job.steps ?? []).map((step) => ({ at, step })));

    it("are rendered the same each time", () => assert.deepEqual(renderWorkflows(config), files));

    it("say where they come from and how to change them", () => {
      for (const { path, text } of files) {
        assert.ok(text.slice(0, 300).includes(SIGN), path);
        assert.equal(sealOf(text), "whole", path);
      }
    });

    it("grant nothing at the top, and end in time", () => {
      for (const { path, text } of workflowsOf(files)) {
        const workflow: Workflow = parse(text);
        assert.deepEqual(workflow.permissions, {}, path);
        assert.ok(workflow.concurrency, path);
      }
      for (const { at, job } of jobs) {
        assert.ok(job.permissions, `${at} has no permissions of its own`);
        assert.ok(job.uses ?? job["timeout-minutes"], `${at} has no timeout`);
      }
    });

    it("paste nothing into a shell", () => {
      for (const { at, step } of steps) assert.ok(!step.run?.includes("${{"), at);
    });

    it("leave no credentials in a checkout", () => {
      for (const { at, step } of steps.filter(({ step }) => step.uses?.startsWith("actions/checkout@")))
        assert.equal(step.with?.["persist-credentials"], false, at);
    });

    it("pin every action by its commit, with the version beside it", () => {
      const lines = workflowsOf(files).flatMap(({ text }) => text.match(/uses: [^.].*$/gm) ?? []);
      assert.ok(lines.length > 10);
      for (const line of lines) {
        const [, action = "", commit, version] = /uses: (\S+)@([0-9a-f]{40}) # (v\S+)$/.exec(line) ?? [];
        assert.equal((pins as Record<string, string>)[action], `${version} ${commit}`, line);
      }
    });

    it("run only scripts that come along", () => {
      for (const { at, step } of steps) {
        const [, name] = /run\.mjs (\w+)$/.exec(step.run ?? "") ?? [];
        if (name === undefined) continue;
        const run = textOf(files, ".github/tagalong/run.mjs");
        const [, module] = new RegExp(`^  ${name}: .*import\\("\\./(.+)"\\)`, "m").exec(run) ?? [];
        assert.ok(module, `${at} runs ${name}, which run.mjs does not know`);
        textOf(files, `.github/tagalong/${module}`);
      }
    });
  });
}

describe("The workflows", () => {
  it("are the same in whichever order the images are written", () => {
    const workflows = { environments: ["dev"] };
    assert.deepEqual(render(workflows, ["server", "client"]), render(workflows, ["client", "server"]));
  });
});

describe("check.yml", () => {
  it("always runs, and its gate waits for every job but those that only tell", () => {
    const { on, jobs } = parsed(
      render({ check: { quality: ["a"], unit: ["b"], integration: ["c"] } }),
      "check",
    );
    assert.deepEqual(Object.keys(on), ["pull_request", "merge_group", "push"]);
    assert.equal(on["pull_request"]?.["paths"], undefined);
    assert.deepEqual(jobs["gate"]?.needs, ["quality", "unit", "integration", "changes", "build"]);
    assert.equal(jobs["gate"]?.if, "always()");
  });

  it("runs the cheapest first, and only jobs that have something to do", () => {
    const { jobs } = parsed(render({ check: { integration: ["c"], hadolint: false } }), "check");
    assert.deepEqual(Object.keys(jobs), ["integration", "changes", "build", "gate", "notice"]);
    const all = parsed(render({ check: { quality: ["a"], unit: ["b"], integration: ["c"] } }), "check").jobs;
    assert.deepEqual(all["integration"]?.needs, ["quality", "unit"]);
    assert.match(all["integration"]?.if ?? "", /github.event_name == 'push' \|\| /);
  });

  it("gives a build nothing to push with", () => {
    const { jobs } = parsed(render(), "check");
    assert.deepEqual(jobs["build"]?.permissions, { contents: "read", packages: "read" });
  });
});

describe("image.yml", () => {
  it("grants packages: write only to jobs that push or prove that they may", () => {
    const { jobs } = parsed(render({ environments: ["dev"], wait: "5m" }), "image");
    const writers = Object.entries(jobs).filter(([, { permissions }]) => permissions["packages"] === "write");
    assert.deepEqual(
      writers.map(([name]) => name),
      ["access", "build", "merge", "move"],
    );
    assert.deepEqual(jobs["build"]?.needs, ["changes", "access"]);
  });

  it("waits for a deployment only where something rolls", () => {
    const { jobs } = parsed(render({ environments: ["dev"], wait: "5m" }), "image");
    assert.match(jobs["deployed"]?.if ?? "", /needs\.move\.outputs\.rolls == 'true'/);
    assert.equal(parsed(render({ environments: ["dev"] }), "image").jobs["deployed"], undefined);
  });

  it("attests unless told otherwise, and asks for no more than that needs", () => {
    const of = (workflows: Record<string, unknown>) => parsed(render(workflows), "image").jobs["merge"];
    assert.equal(of({})?.permissions["id-token"], "write");
    assert.deepEqual(of({ attest: false })?.permissions, { contents: "read", packages: "write" });
    assert.ok(!JSON.stringify(of({ attest: false })).includes("attest"));
  });

  it("logs in to ghcr.io with the run's token, and elsewhere only as told", () => {
    assert.match(textOf(render(), ".github/workflows/image.yml"), /password: \$\{\{ github\.token \}\}/);
    const login = { username: "USER", password: "PASS" };
    assert.match(textOf(render({ login }), ".github/workflows/image.yml"), /\$\{\{ secrets\.PASS \}\}/);
  });
});

describe("The tag of the first environment", () => {
  const tagOf = (
    image: Record<string, string>,
    workflows: Record<string, unknown> = { environments: ["dev"] },
  ) => {
    const raw = { images: { server: image }, repository: { owner: "acme", name: "shop" }, workflows };
    const config = validateConfig(raw, { stack: "repository" });
    assert.ok(config.kind === "repository");
    const { tag, images } = JSON.parse(textOf(renderWorkflows(config), ".github/tagalong/settings.json"));
    return [tag, images.server.repository];
  };
  const repository = "ghcr.io/acme/server";

  it("is moved by a build, or the one that the config names", () => {
    assert.deepEqual(tagOf({ repository }), ["dev", repository]);
    assert.deepEqual(tagOf({ repository }, { tag: "edge" }), ["edge", repository]);
    assert.deepEqual(tagOf({ repository }, {}), [null, repository]);
  });

  it("is left to promotions where builds are kept apart from what runs", () => {
    const source = "ghcr.io/acme/builds/server";
    assert.deepEqual(tagOf({ repository, source }), [null, source]);
  });
});

describe("release.yml", () => {
  it("lets nobody else's program run beside a token that writes releases", () => {
    const { jobs } = parsed(render(), "release");
    const writers = Object.values(jobs).filter(({ permissions }) => permissions["contents"] === "write");
    assert.equal(writers.length, 1);
    const used = (writers[0]?.steps ?? []).flatMap(({ uses }) => uses?.split("@")[0] ?? []);
    assert.deepEqual(used, ["actions/checkout", "actions/download-artifact"]);
  });

  it("builds documentation only where it is told how", () => {
    assert.equal(parsed(render(), "release").jobs["documentation"], undefined);
    const { jobs } = parsed(render({ documentation: { run: ["make site"], folder: "site" } }), "release");
    assert.equal(jobs["documentation"]?.steps?.[1]?.run, "make site");
  });
});

describe("promote.yml and preview.yml", () => {
  it("are there for environments only", () => {
    assert.deepEqual(names(render()), ["check", "image", "release"]);
    assert.deepEqual(names(render({ environments: ["dev"] })), [
      "check",
      "image",
      "preview",
      "promote",
      "release",
    ]);
  });

  it("promote one environment after the other, each behind its GitHub environment", () => {
    const { jobs } = parsed(render({ environments: ["dev", "test"] }), "promote");
    assert.deepEqual(
      ["promote-1", "promote-2"].map((id) => [jobs[id]?.environment, jobs[id]?.needs]),
      [
        ["dev", ["stacks"]],
        ["test", ["stacks", "promote-1"]],
      ],
    );
    const up = jobs["promote-1"]?.steps?.at(-1)?.run ?? "";
    assert.match(up, /pulumi up .*--target '\*\*EnvironmentTag\*\*'$/);
  });

  it("give what a pull request changed no token that writes, and forks nothing", () => {
    const { jobs, on } = parsed(render({ environments: ["dev"] }), "preview");
    assert.deepEqual(Object.keys(on), ["pull_request"]);
    assert.deepEqual(jobs["preview"]?.permissions, { contents: "read", packages: "read" });
    assert.match(jobs["stacks"]?.if ?? "", /head\.repo\.full_name == github\.repository/);
    const [checkout] = jobs["comment"]?.steps ?? [];
    assert.match(String(checkout?.with?.["ref"]), /base\.sha/);
    assert.ok(!JSON.stringify(jobs["comment"]).includes("secrets."));
  });
});

describe("What an image is made of", () => {
  const paths = (workflows: Record<string, unknown>, names?: string[]) => {
    const { images } = JSON.parse(textOf(render(workflows, names), ".github/tagalong/settings.json"));
    return Object.fromEntries(
      Object.entries(images as Record<string, { paths: string[] }>).map(([name, image]) => [
        name,
        image.paths,
      ]),
    );
  };
  const others = ["!docs", "!.github", "!tagalong", "!*.md", "!Pulumi.yaml", "!Pulumi.*.yaml"];

  it("is by default all but other images' folders and what is in no image", () => {
    assert.deepEqual(paths({}), {
      server: [".", "!client", ...others],
      client: [".", "!server", ...others],
    });
  });

  it("is what the config says", () => {
    assert.deepEqual(paths({ images: { server: { paths: ["server", "shared"] } } })["server"], [
      "server",
      "shared",
    ]);
  });

  it("is its context, where that is a folder", () => {
    const own = { context: "server", dockerfile: "server/Dockerfile" };
    assert.deepEqual(paths({ images: { server: own } })["server"], ["server", "!*.md"]);
  });

  it("keeps the folder around an image that lies within another's", () => {
    const images = { server: { dockerfile: "app/Dockerfile" }, client: { dockerfile: "app/web/Dockerfile" } };
    assert.deepEqual(paths({ images }), {
      server: [".", "!app/web", ...others],
      client: [".", ...others],
    });
  });
});

describe("The actions that a repository may use", () => {
  const used = ["docker/build-push-action@*", "docker/login-action@*", "docker/setup-buildx-action@*"];
  const allowing = (actions: object, workflows?: object) => {
    const config = repository(workflows && { ...workflows });
    const settings = { ...config.repository, actions: { ...config.repository.actions, ...actions } };
    return settingsFor({ ...config, repository: settings }).actions.patterns;
  };

  it("are, beside GitHub's own and the config's, those of the workflows that it gets", () => {
    assert.deepEqual(allowing({}, {}), [...used, "orhun/git-cliff-action@*"]);
    const patterns = ["acme/*", "docker/login-action@*"];
    assert.deepEqual(allowing({ patterns }, {}), ["acme/*", ...used, "orhun/git-cliff-action@*"]);
  });

  it("are the config's where it gets no workflows, or any action may run", () => {
    assert.deepEqual(allowing({ patterns: ["acme/*"] }), ["acme/*"]);
    assert.deepEqual(allowing({ allowed: "all" }, {}), []);
  });
});
