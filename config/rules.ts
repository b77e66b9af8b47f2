/**
 * What several keys of the config must agree on. The rules read the raw values and pass over what the
 * schema complains about, so that a user sees all mistakes at once.
 */

import { parseReference } from "../registry/reference";
import { REPOSITORY_STACK } from "./environments";
import { type ConfigPath, type Problem, pathText, suggest } from "./explain";
import { misfits } from "./kubernetes";
import { asMap, type RawConfig } from "./raw";
import {
  ENVIRONMENT,
  HOST,
  LABEL,
  LONGEST_ENVIRONMENT,
  parsePublish,
  publishOverlap,
  VARIABLE,
} from "./values";

export { REPOSITORY_STACK };

/** All mistakes that one key alone does not show. */
export function brokenRules(raw: RawConfig, stack: string): Problem[] {
  const services = Object.entries(asMap(raw["services"])).map(([name, value]) => ({
    name,
    service: asMap(value),
  }));
  const secrets = Object.keys(asMap(raw["secrets"]));
  return [
    ...badNames(raw),
    ...misfits(raw),
    ...services.flatMap(({ name, service }) => [
      ...badImage(["services", name], service, raw["images"]),
      ...badPorts(["services", name], service),
      ...badSecrets(["services", name], service, secrets),
      ...badVolumes(["services", name], service),
    ]),
    ...badPublications(services),
    ...badSecrets(["watcher"], asMap(raw["watcher"]), secrets),
    ...badSources(raw["images"]),
    ...badRelease(raw["release"], services),
    ...badAfter(asMap(raw["rollout"]), stack),
  ];
}

/** Content is not carried between registries. */
function badSources(images: unknown): Problem[] {
  return Object.entries(asMap(images)).flatMap(([name, image]) => {
    const [source, repository] = [asMap(image)["source"], asMap(image)["repository"]].map(registryOf);
    return source === undefined || repository === undefined || source === repository
      ? []
      : [
          {
            path: ["images", name, "source"],
            text: `is on ${source} and the repository on ${repository}, and images are not carried between registries — push its releases to ${repository} first`,
          },
        ];
  });
}

function registryOf(text: unknown): string | undefined {
  try {
    return typeof text === "string" ? parseReference(text).registry : undefined;
  } catch {
    return undefined; // which the schema complains about
  }
}

/** Verdicts have the environment's name in their tags, and a registry's tags are only so long. */
export function badStackName(stack: string): Problem[] {
  const fix = "rename the stack: pulumi stack rename <a shorter name>";
  const problem =
    stack.length > LONGEST_ENVIRONMENT
      ? `has ${stack.length} characters, and the tags of its verdicts have room for ${LONGEST_ENVIRONMENT}`
      : 'does not fit into a tag, which has letters, digits, "_", "." and "-" only';
  return ENVIRONMENT.test(stack) ? [] : [{ path: [], text: `${problem} — ${fix}` }];
}

/** A digest is of one image; with several, the others would be left unnamed. */
function badRelease(release: unknown, services: readonly { service: RawConfig }[]): Problem[] {
  const used = [...new Set(services.map(({ service }) => service["image"]))].sort();
  return typeof release === "string" && /^sha\d+:/.test(release) && used.length > 1
    ? [
        {
          path: ["release"],
          text: `a digest is of one image, and the services run ${used.join(", ")} — write a version's tag or sha-<commit>, which all of them carry`,
        },
      ]
    : [];
}

/** `after` must be somebody else who has verdicts, and `for` says how old those must be. */
function badAfter(rollout: RawConfig, stack: string): Problem[] {
  const { after } = rollout;
  const path = ["rollout", "after"];
  if (after === undefined && rollout["for"] !== undefined) {
    const fix = `add ${pathText(path)}, the environment where it must have been healthy so long`;
    return [{ path: ["rollout", "for"], text: `says for how long, and not where — ${fix}` }];
  }
  if (after === stack) {
    return [{ path, text: "is this environment itself — name the one before it, or remove the key" }];
  }
  return after === REPOSITORY_STACK
    ? [{ path, text: "is the repository's stack, which runs nothing — name an environment" }]
    : [];
}

/** Names that are keys: of images, services, variables, volumes, secrets and registries. */
function badNames(raw: RawConfig): Problem[] {
  const each = (
    path: ConfigPath,
    value: unknown,
    problem: (name: string, all: readonly string[]) => string | undefined,
  ) => {
    const all = Object.keys(asMap(value));
    return all.flatMap((name) => {
      const text = problem(name, all);
      return text === undefined ? [] : [{ path: [...path, name], text }];
    });
  };
  return [
    ...each(["images"], raw["images"], labelProblem),
    ...each(["services"], raw["services"], serviceNameProblem),
    ...each(["secrets"], raw["secrets"], variableProblem),
    ...each(["registries"], raw["registries"], hostProblem),
    ...Object.entries(asMap(raw["services"])).flatMap(([name, service]) => [
      ...each(["services", name, "env"], asMap(service)["env"], variableProblem),
      ...each(["services", name, "volumes"], asMap(service)["volumes"], labelProblem),
    ]),
  ];
}

function labelProblem(name: string, all: readonly string[]): string | undefined {
  if (LABEL.test(name)) {
    return undefined;
  }
  const lower = name.toLowerCase();
  if (LABEL.test(lower)) {
    return all.includes(lower)
      ? `differs from ${lower} only in case — rename or remove one of them`
      : `names are lowercase — rename it to ${lower}`;
  }
  return 'is no name — use lowercase letters, digits and "-", at most 40, starting with a letter and not ending with "-"';
}

function serviceNameProblem(name: string, all: readonly string[]): string | undefined {
  return name === "edge" || name === "watcher"
    ? `the name is reserved for Tagalong's own ${name} — rename the service`
    : labelProblem(name, all);
}

function variableProblem(name: string): string | undefined {
  return VARIABLE.test(name)
    ? undefined
    : 'is no variable name — use letters, digits and "_", not starting with a digit';
}

function hostProblem(name: string): string | undefined {
  return HOST.test(name)
    ? undefined
    : "is no registry — write its host as images name it, for example ghcr.io or localhost:5000";
}

function badImage(path: ConfigPath, service: RawConfig, all: unknown): Problem[] {
  const image = service["image"];
  const images = Object.keys(asMap(all));
  return typeof image !== "string" || images.includes(image) || all === undefined
    ? []
    : [
        {
          path: [...path, "image"],
          text: `${JSON.stringify(image)} is not in tagalong:images — ${suggest(image, images)}`,
        },
      ];
}

function badPorts(path: ConfigPath, service: RawConfig): Problem[] {
  const problems: Problem[] = [];
  if (service["port"] === undefined && service["publish"] !== undefined) {
    const fix = `add ${pathText([...path, "port"])}, the port that the container listens on`;
    problems.push({ path: [...path, "publish"], text: `has no port to lead to — ${fix}` });
  }
  const health = service["health"];
  if (service["port"] === undefined && health !== undefined && asMap(health)["port"] === undefined) {
    const fix = `add ${pathText([...path, "health", "port"])}`;
    problems.push({ path: [...path, "health"], text: `the service has no port to ask — ${fix}` });
  }
  return problems;
}

/** `secrets` of a service or the watcher against tagalong:secrets and its own `env`. */
function badSecrets(path: ConfigPath, reader: RawConfig, known: readonly string[]): Problem[] {
  const names = Array.isArray(reader["secrets"]) ? (reader["secrets"] as unknown[]) : [];
  const env = asMap(reader["env"]);
  return names.flatMap((name, index): Problem[] => {
    if (typeof name !== "string") {
      return [];
    }
    const at = [...path, "secrets", index];
    const problems: Problem[] = [];
    if (!known.includes(name)) {
      const fix = `set it with pulumi config set --secret --path ${pathText(["secrets", name])}`;
      problems.push({ path: at, text: `${JSON.stringify(name)} is not in tagalong:secrets — ${fix}` });
    }
    if (names.indexOf(name) < index) {
      problems.push({ path: at, text: `${JSON.stringify(name)} is listed twice — remove one` });
    }
    if (Object.hasOwn(env, name)) {
      const other = pathText([...path, "env", name]);
      problems.push({
        path: at,
        text: `${JSON.stringify(name)} is also set by ${other} — remove one of them`,
      });
    }
    return problems;
  });
}

function badVolumes(path: ConfigPath, service: RawConfig): Problem[] {
  const seen = new Map<string, string>();
  return Object.entries(asMap(service["volumes"])).flatMap(([name, target]) => {
    const place = typeof target === "string" ? target.replace(/\/+$/, "") : "";
    const other = seen.get(place);
    if (place !== "" && other === undefined) {
      seen.set(place, name);
    }
    return other === undefined
      ? []
      : [
          {
            path: [...path, "volumes", name],
            text: `${place} already holds ${pathText([...path, "volumes", other])} — choose another path`,
          },
        ];
  });
}

function badPublications(services: readonly { name: string; service: RawConfig }[]): Problem[] {
  const published = services.flatMap(({ name, service }) => {
    const publish = parsePublish(service["publish"]);
    return publish === undefined ? [] : [{ path: ["services", name, "publish"], publish }];
  });
  return published.flatMap((later, index) => {
    const earlier = published.slice(0, index).find((other) => publishOverlap(other.publish, later.publish));
    if (earlier === undefined) {
      return [];
    }
    const { address, port } = later.publish;
    const where = `port ${port} of ${address} is taken by ${pathText(earlier.path)}`;
    return [{ path: later.path, text: `${where} — choose another port or address` }];
  });
}
