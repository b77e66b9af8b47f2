// A Pulumi project of the bench's own: this program, in a temporary folder, with a state of its own.
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { run } from "../tools/command.mjs";
import { root } from "../tools/paths.mjs";

/**
 * Writes the project, or writes it anew with another config.
 * @param {string} folder
 * @param {object} project
 * @param {string} project.name
 * @param {Record<string, {repository: string}>} project.images
 * @param {string} project.stack
 * @param {Record<string, unknown>} project.config of the stack
 */
export function writeProject(folder, { name, images, stack, config }) {
  mkdirSync(join(folder, "state"), { recursive: true });
  for (const file of ["program.cjs", "package.json", "node_modules"])
    if (!existsSync(join(folder, file))) symlinkSync(join(root, file), join(folder, file));
  const write = (/** @type {string} */ file, /** @type {unknown} */ content) =>
    writeFileSync(join(folder, file), stringify(content));
  write("Pulumi.yaml", {
    name,
    main: "program.cjs",
    runtime: { name: "nodejs", options: { typescript: false } },
    plugins: { providers: [{ name: "tagalong", path: join(root, "provider", "plugin") }] },
    config: { "tagalong:images": { value: images } },
  });
  write(`Pulumi.${stack}.yaml`, { config });
}

/**
 * The environment of everything that works on the project.
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
export const projectEnv = (folder, env) => ({
  ...env,
  PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
  PULUMI_CONFIG_PASSPHRASE: "bench",
  XDG_STATE_HOME: join(folder, "lease"),
});

/**
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 * @param {number} [seconds] how long a command may take
 */
export const pulumiIn =
  (folder, env, seconds = 300) =>
  (/** @type {string[]} */ ...args) =>
    run("pulumi", [...args, "--non-interactive", "--color", "never"], { env, cwd: folder, seconds });
