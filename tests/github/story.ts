// The GitHub of `npm start -- --with-github`, a process of its own: one repository that people have set up by hand, with
// the commits of a Git repository on this machine. It says where it listens; its administrator's token stands in a file
// that nobody else can read.
//   node … OWNER NAME ORIGIN TOKEN-FILE
import { renameSync, writeFileSync } from "node:fs";
import { GitHubEmulator } from "./emulator";

async function serve([owner = "", name = "", origin = "", tokenFile = ""]: string[]): Promise<void> {
  const emulator = await GitHubEmulator.start({ owner, name, origin });
  const end = () => {
    emulator.close().catch((error: unknown) => {
      console.error((error as Error).message);
      process.exitCode = 1;
    });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, end);
  furnish(emulator, `${owner}/${name}`);
  const scopes = ["repo", "workflow", "read:org", "write:packages"];
  const token = emulator.token({}, { scopes, repositories: "all" });
  writeFileSync(`${tokenFile}.draft`, token, { mode: 0o600 });
  renameSync(`${tokenFile}.draft`, tokenFile);
  console.log(emulator.url);
}

/** What somebody has clicked, a while ago; some of it will do. */
function furnish(emulator: GitHubEmulator, repository: string): void {
  const { repositories, rulesets, actions, environments, labels } = emulator;
  repositories.set(repository, {
    description: "The old shop",
    topics: ["legacy"],
    homepage: "https://shop.example",
    has_wiki: true,
    allow_merge_commit: true,
    allow_rebase_merge: true,
    delete_branch_on_merge: false,
  });
  rulesets.add(repository, { name: "The team's own", target: "branch", enforcement: "active", rules: [] });
  actions.workflow.set(repository, {
    default_workflow_permissions: "write",
    can_approve_pull_request_reviews: true,
  });
  environments.ensure(repository, "dev").variables.set("URL", "https://old.example");
  labels.add(repository, { name: "bug", color: "ffffff", description: null });
}

serve(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
