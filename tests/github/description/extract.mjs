// Takes what the emulator needs out of GitHub's own OpenAPI description, which as a whole is 385 MB of npm package:
//   node tests/github/description/extract.mjs
// `asked` below is the list to extend when the emulator learns a route.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const source = {
  package: "@octokit/openapi@23.0.2",
  integrity:
    "sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
  file: "package/generated/api.github.com.json",
};

const repository = "/repos/{owner}/{repo}";
const environment = `${repository}/environments/{environment_name}`;
const permissions = `${repository}/actions/permissions`;
/** Methods by path. */
const asked = {
  "/user": "GET",
  "/user/repos": "POST",
  "/users/{username}": "GET",
  "/users/{username}/packages/{package_type}/{package_name}": "GET",
  "/orgs/{org}": "GET",
  "/orgs/{org}/repos": "POST",
  "/orgs/{org}/teams/{team_slug}": "GET",
  "/orgs/{org}/packages/{package_type}/{package_name}": "GET",
  [repository]: "GET PATCH",
  [`${repository}/topics`]: "PUT",
  [`${repository}/vulnerability-alerts`]: "GET PUT DELETE",
  [`${repository}/branches/{branch}`]: "GET",
  [`${repository}/compare/{basehead}`]: "GET",
  [`${repository}/git/commits/{commit_sha}`]: "GET",
  [`${repository}/git/commits`]: "POST",
  [`${repository}/git/trees`]: "POST",
  [`${repository}/git/trees/{tree_sha}`]: "GET",
  [`${repository}/git/blobs/{file_sha}`]: "GET",
  [`${repository}/git/ref/{ref}`]: "GET",
  [`${repository}/git/refs`]: "POST",
  [`${repository}/git/refs/{ref}`]: "PATCH",
  [`${repository}/rules/branches/{branch}`]: "GET",
  [`${repository}/pulls`]: "GET POST",
  [`${repository}/pulls/{pull_number}`]: "PATCH",
  [`${repository}/deployments`]: "GET POST",
  [`${repository}/deployments/{deployment_id}`]: "GET DELETE",
  [`${repository}/deployments/{deployment_id}/statuses`]: "GET POST",
  [`${repository}/deployments/{deployment_id}/statuses/{status_id}`]: "GET",
  [`${repository}/environments`]: "GET",
  [environment]: "GET PUT DELETE",
  [`${environment}/deployment-branch-policies`]: "GET POST",
  [`${environment}/deployment-branch-policies/{branch_policy_id}`]: "GET PUT DELETE",
  [`${environment}/variables`]: "GET POST",
  [`${environment}/variables/{name}`]: "GET PATCH DELETE",
  [`${environment}/secrets`]: "GET",
  [`${environment}/secrets/public-key`]: "GET",
  [`${environment}/secrets/{secret_name}`]: "GET PUT DELETE",
  [permissions]: "GET PUT",
  [`${permissions}/selected-actions`]: "GET PUT",
  [`${permissions}/workflow`]: "GET PUT",
  [`${repository}/actions/runs/{run_id}/attempts/{attempt_number}/jobs`]: "GET",
  [`${repository}/actions/jobs/{job_id}/logs`]: "GET",
  [`${repository}/rulesets`]: "GET POST",
  [`${repository}/rulesets/{ruleset_id}`]: "GET PUT DELETE",
  [`${repository}/hooks`]: "GET POST",
  [`${repository}/hooks/{hook_id}`]: "GET PATCH DELETE",
  [`${repository}/labels`]: "GET POST",
  [`${repository}/labels/{name}`]: "GET PATCH DELETE",
};
const operations = Object.entries(asked).flatMap(([path, methods]) =>
  methods.split(" ").map((method) => `${method} ${path}`),
);

const folder = mkdtempSync(join(tmpdir(), "tagalong-openapi-"));
/** @type {any} */
let whole;
try {
  execFileSync("npm", ["pack", source.package, "--silent", "--pack-destination", folder], { cwd: folder });
  const archive = join(folder, "octokit-openapi-23.0.2.tgz");
  const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (found !== source.integrity) throw new Error(`${source.package} is another one: ${found}`);
  const most = 64 * 1024 * 1024;
  whole = JSON.parse(execFileSync("tar", ["-xzOf", archive, source.file], { maxBuffer: most }).toString());
} finally {
  rmSync(folder, { recursive: true });
}

/** What says nothing about whether a request or an answer is right. */
const words = new Set(["description", "summary", "externalDocs", "example", "examples", "tags", "x-github"]);

/**
 * Without words, except where one is the name of a property.
 * @param {any} value
 * @param {boolean} [isMap] of names
 * @returns {any}
 */
function bare(value, isMap = false) {
  if (Array.isArray(value)) return value.map((item) => bare(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => isMap || (!words.has(key) && (!key.startsWith("x-") || key === "x-multi-segment")))
      .map(([key, inner]) => [
        key,
        bare(inner, !isMap && ["properties", "headers", "responses"].includes(key)),
      ]),
  );
}

/** @type {Record<string, Record<string, unknown>>} */
const paths = {};
for (const operation of operations) {
  const [method = "", path = ""] = operation.split(" ");
  const described = whole.paths[path]?.[method.toLowerCase()];
  if (!described) throw new Error(`GitHub has no ${operation}`);
  paths[path] = { ...paths[path], [method.toLowerCase()]: bare(described) };
}

/** @type {Record<string, Record<string, unknown>>} */
const components = {};
/** @param {unknown} value */
function follow(value) {
  for (const [, reference = ""] of JSON.stringify(value).matchAll(/"\$ref":"#\/components\/([^"]+)"/g)) {
    const [kind = "", name = ""] = reference.split("/");
    if (components[kind]?.[name]) continue;
    const found = bare(whole.components[kind][name]);
    components[kind] = { ...components[kind], [name]: found };
    follow(found);
  }
}
follow(paths);

/**
 * One operation or component a line, so that a newer description shows what changed.
 * @param {Record<string, Record<string, unknown>>} map
 */
const lines = (map) =>
  Object.keys(map)
    .sort()
    .map((outer) => {
      const inner = Object.entries(map[outer] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
      return `${JSON.stringify(outer)}:{\n${inner.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",\n")}}`;
    })
    .join(",\n");

writeFileSync(
  join(dirname(fileURLToPath(import.meta.url)), "api.github.com.json"),
  `{"openapi":${JSON.stringify(whole.openapi)},"source":${JSON.stringify(source)},\n"paths":{${lines(paths)}},\n"components":{${lines(components)}}}\n`,
);
