// Which environments a project's folder has, told by the names of its files alone.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { environmentsIn } from "../config/environments";

export { environmentsIn };

/** Releases that the stacks' files name, found without reading them as YAML: only offered, never relied on. */
export function releasesIn(folder: string): string[] {
  const named = environmentsIn(folder).flatMap((stack) => {
    const text = readFileSync(join(folder, `Pulumi.${stack}.yaml`), "utf8");
    return /["']?tagalong:release["']?\s*:\s*["']?([\w.:-]+)/.exec(text)?.[1] ?? [];
  });
  return [...new Set(named)].sort();
}
