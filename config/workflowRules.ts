/**
 * What several keys of `tagalong:workflows` must agree on. The rules read the raw values and pass over what the schema
 * complains about.
 */
import { type ConfigPath, type Problem, pathText, suggest } from "./explain";
import { asMap, type RawConfig } from "./raw";
import { REPOSITORY_STACK } from "./rules";
import { NATIVE_RUNNERS, platformProblem } from "./workflowValues";

const PATH = ["workflows"] as const;

/** All mistakes of the workflows that one key alone does not show. */
export function brokenWorkflowRules(raw: RawConfig): Problem[] {
  const workflows = asMap(raw["workflows"]);
  const runners = asMap(workflows["runners"]);
  return [
    ...severalRegistries(asMap(raw["images"])),
    ...unknownImages(asMap(workflows["images"]), raw["images"]),
    ...badPlatforms([...PATH, "platforms"], workflows["platforms"], runners),
    ...Object.entries(asMap(workflows["images"])).flatMap(([name, image]) =>
      badPlatforms([...PATH, "images", name, "platforms"], asMap(image)["platforms"], runners),
    ),
    ...Object.keys(runners).flatMap((name): Problem[] => {
      const text = platformProblem(name);
      return text === undefined ? [] : [{ path: [...PATH, "runners", name], text }];
    }),
    ...badEnvironments(workflows["environments"]),
    ...badWait(workflows, asMap(raw["images"])),
    ...forbiddenActions(raw),
  ];
}

/** The workflows use actions of GitHub, Docker and others. */
function forbiddenActions(raw: RawConfig): Problem[] {
  const { allowed } = asMap(asMap(raw["repository"])["actions"]);
  if (raw["workflows"] === undefined || allowed !== "local") return [];
  const text =
    "forbids the actions that the workflows of tagalong:workflows use — write selected, which lets those run too, or remove tagalong:workflows";
  return [{ path: ["repository", "actions", "allowed"], text }];
}

/** One login, one proof of access and one move of the tags are for one registry. */
function severalRegistries(images: RawConfig): Problem[] {
  const hosts = Object.entries(images).flatMap(([name, image]) => {
    const repository = asMap(image)["repository"];
    const first = typeof repository === "string" ? (repository.split("/")[0] ?? "") : "";
    return /[.:]|^localhost$/.test(first) ? [{ name, host: first }] : [];
  });
  const other = hosts.find(({ host }) => host !== hosts[0]?.host);
  return other === undefined
    ? []
    : [
        {
          path: ["images", other.name, "repository"],
          text: `is at ${other.host}, and ${hosts[0]?.name} at ${hosts[0]?.host} — keep the images of one repository in one registry: their tags move together`,
        },
      ];
}

function unknownImages(written: RawConfig, all: unknown): Problem[] {
  const known = Object.keys(asMap(all));
  return Object.keys(written)
    .filter((name) => all !== undefined && !known.includes(name))
    .map((name) => ({
      path: [...PATH, "images", name],
      text: `is not in tagalong:images — ${suggest(name, known)}`,
    }));
}

function badPlatforms(path: ConfigPath, value: unknown, runners: RawConfig): Problem[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  return list.flatMap((platform, index): Problem[] => {
    if (typeof platform !== "string" || platformProblem(platform) !== undefined) return [];
    const at = [...path, index];
    if (list.indexOf(platform) < index)
      return [{ path: at, text: `${JSON.stringify(platform)} is listed twice — remove one` }];
    if (platform in NATIVE_RUNNERS || platform in runners) return [];
    const fix = `name one in ${pathText([...PATH, "runners", platform])}`;
    return [
      {
        path: at,
        text: `GitHub has no runner for ${platform}, and emulation takes many times as long — ${fix}`,
      },
    ];
  });
}

function badEnvironments(value: unknown): Problem[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  return list.flatMap((name, index): Problem[] => {
    const path = [...PATH, "environments", index];
    if (name === REPOSITORY_STACK)
      return [{ path, text: "is the repository's own stack, which runs nothing — remove it" }];
    return list.indexOf(name) < index
      ? [{ path, text: `${JSON.stringify(name)} is listed twice — remove one` }]
      : [];
  });
}

function badWait(workflows: RawConfig, images: RawConfig): Problem[] {
  if (workflows["wait"] === undefined) return [];
  const path = [...PATH, "wait"];
  const environments = workflows["environments"];
  if (!Array.isArray(environments) || environments.length === 0) {
    const fix = `name one in ${pathText([...PATH, "environments"])}, or remove the key`;
    return [{ path, text: `waits for no environment — ${fix}` }];
  }
  const apart = Object.keys(images).find((name) => asMap(images[name])["source"] !== undefined);
  if (apart === undefined) return [];
  const text = `waits for what no build sets off: with ${pathText(["images", apart, "source"])} only promotions move an environment's tag — remove one of the two`;
  return [{ path, text }];
}
