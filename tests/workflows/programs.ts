// The programs that these tests run. `npm test` brings them; where one cannot be had, what needs it is skipped, and says so.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { WorkflowFile } from "../../workflows";

const places = {
  actionlint: process.env["TAGALONG_ACTIONLINT"],
  act: process.env["TAGALONG_ACT"],
  ...Object.fromEntries(
    ["zizmor", "shellcheck", "hadolint", "git-cliff"].map((name) => [
      name,
      process.env["TAGALONG_LINTERS"] && join(process.env["TAGALONG_LINTERS"], name),
    ]),
  ),
} as Readonly<Record<string, string | undefined>>;

/** Where a program is; the test that needs it is skipped where it is not. */
export function program(test: Mocha.Context, name: string): string {
  const place = places[name];
  if (place) return place;
  process.stderr.write(`${name} is not here (npm run ground -- linters actionlint act): skipped\n`);
  return test.skip();
}

/** What a program says, and its exit code. */
export function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  const path = [process.env["TAGALONG_LINTERS"], process.env["PATH"]].filter(Boolean).join(delimiter);
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, PATH: path, NO_COLOR: "1", ...env },
    maxBuffer: 64 * 2 ** 20,
  });
  if (error) throw error;
  return { status, said: `${stdout}${stderr}` };
}

/** Writes what was rendered, as `tagalong workflows --out` does. */
export function write(folder: string, files: readonly WorkflowFile[]): void {
  for (const { path, text, mode } of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (mode === "100755") chmodSync(file, 0o755);
  }
}
