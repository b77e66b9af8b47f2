// Where things lie: the project, the user's cache of built things, and the engine's own home.
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The user's cache folder, where what took minutes to build is kept between runs and projects. */
export function cacheFolder(env = process.env, platform = process.platform) {
  if (env.TAGALONG_CACHE) return env.TAGALONG_CACHE;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "tagalong");
  return join(homedir(), platform === "darwin" ? "Library/Caches" : ".cache", "tagalong");
}

/** The folder in which the engine looks for its versions and plugins. */
export const pulumiHome = (env = process.env) => env.PULUMI_HOME || join(homedir(), ".pulumi");
