// Proves, before anything is built, that the images may be pushed: after half an hour of building is too late to learn it.
import { registryOf } from "./registry.mjs";
import { settings } from "./settings.mjs";
import { reasonOf, Stop } from "./words.mjs";

/** @param {import("./run.mjs").Run} run */
export async function access({ env, folder, say }) {
  const registry = registryOf(env);
  const problems = [];
  for (const { repository } of Object.values(settings(folder).images)) {
    try {
      await registry.proveWriteAccess(repository);
      say(`${repository}: may be pushed to`);
    } catch (error) {
      problems.push(reasonOf(error));
    }
  }
  if (problems.length > 0) throw new Stop(problems.join("\n"));
}
