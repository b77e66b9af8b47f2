// The one entry of the workflows' scripts: `node .github/tagalong/run.mjs <script>`. What a script needs comes from its
// environment, so that nothing is ever pasted into a shell.
import { appendFileSync } from "node:fs";
import { errorLine, Stop } from "./words.mjs";

/**
 * What a script is given.
 * @typedef {object} Run
 * @property {NodeJS.ProcessEnv} env
 * @property {string} folder the repository
 * @property {(name: string, value: string) => void} output sets an output of the step
 * @property {(markdown: string) => void} summary adds to the page of the run
 * @property {(text: string) => void} say
 */

/** @type {Record<string, () => Promise<(run: Run) => Promise<void> | void>>} */
const scripts = {
  access: async () => (await import("./access.mjs")).access,
  changes: async () => (await import("./changes.mjs")).changes,
  check: async () => (await import("./size.mjs")).check,
  comment: async () => (await import("./comment.mjs")).comment,
  deployed: async () => (await import("./deployed.mjs")).deployed,
  gate: async () => (await import("./gate.mjs")).gate,
  merge: async () => (await import("./merge.mjs")).merge,
  move: async () => (await import("./move.mjs")).move,
  notice: async () => (await import("./notice.mjs")).notice,
  preview: async () => (await import("./preview.mjs")).preview,
  publish: async () => (await import("./publish.mjs")).publish,
  release: async () => (await import("./release.mjs")).release,
  stacks: async () => (await import("./stacks.mjs")).stacks,
};

/** @param {string | undefined} file @param {string} text */
const append = (file, text) => (file ? appendFileSync(file, text) : undefined);

/** @returns {Run} */
function surroundings() {
  const { env } = process;
  return {
    env,
    folder: env.GITHUB_WORKSPACE ?? process.cwd(),
    // The mark that ends a value is no line of it: all that is set here is JSON or one line.
    output: (name, value) =>
      append(env.GITHUB_OUTPUT, `${name}<<~end~of~${name}\n${value}\n~end~of~${name}\n`),
    summary: (markdown) => append(env.GITHUB_STEP_SUMMARY, `${markdown}\n`),
    say: (text) => void process.stdout.write(`${text}\n`),
  };
}

const [name = ""] = process.argv.slice(2);
try {
  const load = scripts[name];
  if (!load)
    throw new Stop(`there is no script "${name}"`, `the scripts are ${Object.keys(scripts).join(", ")}`);
  await (await load())(surroundings());
} catch (error) {
  process.stdout.write(`${errorLine(error)}\n`);
  process.exitCode = 1;
}
