/**
 * What several keys of `tagalong:repository` must agree on, and which of them are secrets. Raw values, as in rules.ts.
 */
import { type ConfigPath, type Problem, suggest } from "./explain";
import { asMap, type RawConfig } from "./raw";
import { parseDuration, VARIABLE } from "./values";

/** @param environments the environments' stacks of the project; left out where nobody knows them */
export function brokenRepositoryRules(raw: RawConfig, environments?: readonly string[]): Problem[] {
  const repository = asMap(raw["repository"]);
  const configured = Object.entries(asMap(repository["environments"]));
  return [
    ...configured.flatMap(([name, value]) => {
      const path = ["repository", "environments", name];
      const { variables, secrets, wait } = asMap(value);
      return [
        ...strange(path, name, environments),
        ...badNames([...path, "variables"], variables),
        ...badNames([...path, "secrets"], secrets),
        ...Object.keys(asMap(secrets))
          .filter((one) => Object.hasOwn(asMap(variables), one))
          .map((one) => ({
            path: [...path, "secrets", one],
            text: "is also a variable of this environment — remove one of them",
          })),
        ...(typeof wait === "string" && (parseDuration(wait) ?? 0) % 60_000 !== 0
          ? [
              {
                path: [...path, "wait"],
                text: `"${wait}" is no whole minutes, as GitHub counts — write 1m or more`,
              },
            ]
          : []),
      ];
    }),
    ...uselessActions(asMap(repository["actions"])),
  ];
}

function strange(path: ConfigPath, name: string, environments: readonly string[] | undefined): Problem[] {
  if (environments === undefined || environments.includes(name)) return [];
  const fix = `${suggest(name, environments)}; each environment has a file Pulumi.<stack>.yaml`;
  return [{ path, text: `is no environment of this project — ${fix}` }];
}

function badNames(path: ConfigPath, map: unknown): Problem[] {
  return Object.keys(asMap(map)).flatMap((name) => {
    if (!VARIABLE.test(name)) {
      const text = 'is no variable name — use letters, digits and "_", not starting with a digit';
      return [{ path: [...path, name], text }];
    }
    return /^GITHUB_/i.test(name)
      ? [{ path: [...path, name], text: "begins with GITHUB_, which GitHub keeps for itself — rename it" }]
      : [];
  });
}

function uselessActions({ allowed, patterns }: RawConfig): Problem[] {
  return Array.isArray(patterns) && patterns.length > 0 && allowed !== undefined && allowed !== "selected"
    ? [
        {
          path: ["repository", "actions", "patterns"],
          text: `means nothing where ${JSON.stringify(allowed)} actions are allowed — write allowed: selected, or remove it`,
        },
      ]
    : [];
}

/** Whether the value at a path below `repository` is one that stays secret: `*` stands for any name. */
export function isRepositorySecret(path: ConfigPath): boolean {
  const patterns = [["token"], ["webhook", "secret"], ["environments", "*", "secrets", "*"]];
  return patterns.some(
    (pattern) =>
      path.length === pattern.length + 1 &&
      path[0] === "repository" &&
      pattern.every((step, index) => step === "*" || step === path[index + 1]),
  );
}

/** The paths of all texts below a value. */
export function textsIn(value: unknown, path: ConfigPath): ConfigPath[] {
  if (typeof value === "string") return [path];
  if (Array.isArray(value)) return value.flatMap((inner, index) => textsIn(inner, [...path, index]));
  return Object.entries(asMap(value)).flatMap(([key, inner]) => textsIn(inner, [...path, key]));
}
