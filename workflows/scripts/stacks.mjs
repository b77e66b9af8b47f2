// Which environments a change of the Tagalong project is about: those whose stack file it touches, or all of them where it
// touches what they share.
import { git, tryGit } from "./git.mjs";
import { settings } from "./settings.mjs";

/**
 * @param {readonly string[]} files changed, from the repository's root
 * @param {readonly string[]} environments in order
 * @param {string} project folder
 */
export function touched(files, environments, project) {
  const prefix = project === "." ? "" : `${project}/`;
  const own = files.filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length));
  const stackFiles = environments.map((name) => `Pulumi.${name}.yaml`);
  const isAbout = (/** @type {string} */ file) => /^Pulumi\..+\.yaml$/.test(file);
  // Words for people, and the repository's own stack, change no environment.
  const shared = own.filter((file) => !isAbout(file) && !/\.md$|^docs\/|^\.github\/|^tests\//.test(file));
  return environments.filter((_, index) => shared.length > 0 || own.includes(stackFiles[index] ?? ""));
}

/** @param {import("./run.mjs").Run} run */
export function stacks({ env, folder, output, say }) {
  const { environments, project } = settings(folder);
  // A branch that is new has nothing before it, and one that was pushed by force nothing that is still there.
  const isThere = env.BASE && tryGit(folder, ["cat-file", "-e", `${env.BASE}^{commit}`]).status === 0;
  const base = isThere ? env.BASE : undefined;
  const isMerge = env.SINCE_BRANCHED === "true";
  const from = base && (isMerge ? git(folder, ["merge-base", base, "HEAD"]) : base);
  const files = from
    ? git(folder, ["diff", "--name-only", "--no-renames", from, "HEAD"]).split("\n")
    : undefined;
  const found = files ? touched(files, environments, project) : environments;
  say(found.length > 0 ? `About ${found.join(", ")}` : "About no environment");
  output("environments", JSON.stringify(found));
}
