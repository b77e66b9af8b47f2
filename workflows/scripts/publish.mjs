// The release on GitHub: drafted, completed, then published, so that nobody sees half of it. The tag's own message leads,
// then what changed, the images by digest, and how to verify them.
import { existsSync, readFileSync } from "node:fs";
import { fetchReferences, git } from "./git.mjs";
import { GitHub } from "./github.mjs";
import { imageTags, messageOf, versionOf } from "./release.mjs";
import { needed } from "./words.mjs";

/** @typedef {{ image: string, repository: string, digest: string }} Released */

/** @param {{ message: string, changelog: string, images: readonly Released[], version: string, repository: string, isAttested: boolean }} release */
export function bodyOf({ message, changelog, images, version, repository, isAttested }) {
  const rows = images.map(
    ({ image, repository: where, digest }) => `| ${image} | \`${where}:${version}\` | \`${digest}\` |`,
  );
  const verify = images.map(
    ({ repository: where, digest }) => `gh attestation verify oci://${where}@${digest} --repo ${repository}`,
  );
  return [
    message,
    ...(changelog.trim() ? [`## Changes\n\n${changelog.trim()}`] : []),
    ["## Images", "", "| image | tag | digest |", "|---|---|---|", ...rows].join("\n"),
    ...(isAttested
      ? [
          ["Who built them, from which commit and by which workflow:", "", "```sh", ...verify, "```"].join(
            "\n",
          ),
        ]
      : []),
  ].join("\n\n");
}

/** @param {import("./run.mjs").Run} run */
export async function publish({ env, folder, say, summary }) {
  const github = new GitHub(env);
  const tag = needed(env, "TAG");
  const images = /** @type {Released[]} */ (JSON.parse(needed(env, "IMAGES")));
  const { version, isFinal } = versionOf(tag);
  // The checkout has made it a lightweight one, whose message would be the commit's.
  fetchReferences(folder, [`+refs/tags/${tag}:refs/tags/${tag}`], env);
  const changelogFile = env.CHANGELOG;
  const changelog = changelogFile && existsSync(changelogFile) ? readFileSync(changelogFile, "utf8") : "";
  const body = bodyOf({
    message: messageOf(folder, tag),
    changelog,
    images,
    version,
    repository: github.repository,
    isAttested: env.ATTESTED === "true",
  });
  // GitHub would call the newest one the latest, a fix of an old line as well; it is the one that the images' tag leads to.
  const isLatest = imageTags(tag, git(folder, ["tag", "--list", "v*"]).split("\n")).includes("latest");
  const content = { tag_name: tag, name: version, body, prerelease: !isFinal, make_latest: String(isLatest) };
  // A run that was cut short, or is run again, goes on with what is there.
  const existing = (await github.all("releases")).find(({ tag_name }) => tag_name === tag);
  const draft = existing ?? (await github.json("POST", "releases", { ...content, draft: true }));
  const assets = await github.all(`releases/${draft.id}/assets`);
  if (!assets.some(({ name }) => name === "images.json")) {
    const to = `${draft.upload_url.replace(/\{.*$/, "")}?name=images.json`;
    await github.ask("POST", to, { raw: Buffer.from(`${JSON.stringify(images, undefined, 2)}\n`) });
  }
  const release = await github.json("PATCH", `releases/${draft.id}`, { ...content, draft: false });
  say(`${version}: ${release.html_url}`);
  summary(`[${version}](${release.html_url})`);
}
