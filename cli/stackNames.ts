// Which environments a project's folder has, told by the names of its files alone.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The stack that is no environment; the config's room says the same, and takes longer to load. */
const repositoryStack = "repository";

/** Environments by name, in order. @returns none where there is no such folder */
export function environmentsIn(folder: string): string[] {
  return namesIn(folder)
    .flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? [])
    .filter((stack) => stack !== repositoryStack)
    .sort();
}

/** Releases that the stacks' files name, found without reading them as YAML: only offered, never relied on. */
export function releasesIn(folder: string): string[] {
  const named = environmentsIn(folder).flatMap((stack) => {
    const text = readFileSync(join(folder, `Pulumi.${stack}.yaml`), "utf8");
    return /["']?tagalong:release["']?\s*:\s*["']?([\w.:-]+)/.exec(text)?.[1] ?? [];
  });
  return [...new Set(named)].sort();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
