// What a person may do when the story is over.
import { delimiter, dirname, join, relative } from "node:path";
import { onPath } from "./command.mjs";
import { root } from "./paths.mjs";
import { repository, shared, stack } from "./story-folder.mjs";

/** @typedef {import("./story-play.mjs").Story} Story */
/** @typedef {import("./story-play.mjs").Played} Played */
/** @typedef {import("./ground.mjs").Ground} Ground */

const { owner, name } = repository;

/**
 * @param {string} folder of the story
 * @param {string} command that told it
 */
export const next = (folder, command) =>
  [
    "",
    `Next: ${`${command} -- --keep`.padEnd(25)}  the same, and it stays up for you to push images of your own`,
    "      README.md                  your first environment; docs/configuration.md has every key",
    `      ${relative(process.cwd(), join(folder, "logs")).padEnd(25)}  all that was said, the watcher's decisions in watch.out`,
  ].join("\n");

/**
 * A text as a shell takes it for one word.
 * @param {string} text
 */
const word = (text) => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/**
 * @param {Story} story
 * @param {Played} played
 * @param {Ground} ground
 * @param {import("./story-github.mjs").GitHub} [github]
 */
export function byHand(
  { engine: runsOn, place, processes, images, base },
  { urls, watcher },
  { engine = "", env },
  github,
) {
  const path = onPath("pulumi") === engine ? [] : [`export PATH=${word(dirname(engine))}${delimiter}"$PATH"`];
  const { settings, end } = runsOn.byHand(env, place);
  const token = word(place.githubToken);
  return [
    "",
    `It stays up: ${Object.values(urls).join(", ")}, and the watcher (process ${watcher.pid}) follows the tag. By hand, from here:`,
    "",
    ...Object.entries(place.settings).map(([name, value]) => `  export ${name}=${word(value)}`),
    ...(github ? [`  export GITHUB_API_URL=${github.url}`, `  export GITHUB_TOKEN="$(cat ${token})"`] : []),
    ...[...path, ...settings].map((line) => `  ${line}`),
    "",
    "  # a new image, after a change of your own in the shop",
    `  cd ${word(place.shop)} && git commit -am "my change"`,
    `  ./docker-build.sh --registry ${images} --base ${base} --tag ${stack} --version 1.3.0 --push`,
    "  # what the watcher decides",
    `  tail -f ${word(processes.path("watch", "out"))}`,
    "  # what is deployed",
    `  npx --prefix ${word(root)} tagalong status --cwd ${word(place.project)}`,
    "  # promote it to Test",
    `  npx --prefix ${word(root)} tagalong promote test --from dev --cwd ${word(place.project)}`,
    `  pulumi up --stack test --cwd ${word(place.project)}`,
    ...(github
      ? [
          "  # what GitHub shows: each roll is a deployment, of the commit that you made",
          // A header on the command line would be for everybody to see in the list of processes.
          `  printf 'Authorization: Bearer %s' "$GITHUB_TOKEN" | curl --silent --header @- "$GITHUB_API_URL/repos/${owner}/${name}/deployments"`,
          "  # the repository",
          `  npx --prefix ${word(root)} tagalong access --cwd ${word(place.project)}`,
          `  pulumi preview --stack ${shared} --cwd ${word(place.project)}`,
        ]
      : []),
    "  # the end",
    `  kill ${[watcher, ...(github ? [github.child] : [])].map(({ pid }) => pid).join(" ")}`,
    ...["test", stack].map((name) => `  pulumi destroy --yes --stack ${name} --cwd ${word(place.project)}`),
    ...end.map((line) => `  ${line}`),
    "",
    `The next ${runsOn.command} ends it too.`,
  ].join("\n");
}
