/** Which environments a project's folder has, told by the names of its files alone, and at once. */
import { readdirSync } from "node:fs";

/** The stack that owns what exists once; every other stack is an environment. */
export const REPOSITORY_STACK = "repository";

/** Environments by name, in order. @returns none where there is no such folder */
export function environmentsIn(folder: string): string[] {
  return namesIn(folder)
    .flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? [])
    .filter((stack) => stack !== REPOSITORY_STACK)
    .sort();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
