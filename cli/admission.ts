// Whether an environment would take an image now: the same question as `pulumi up` and the watcher ask.
import { admission } from "../ledger";
import type { Admission } from "../rollout/admission";
import { afterOf } from "../watcher/candidate";
import type { Environment, Project } from "./project";

export function admissionOf(
  { client }: Project,
  environment: Environment,
  image: string,
  digest: string,
  now = Date.now(),
): Promise<Admission> {
  const after = afterOf(environment.config, client);
  const configuration = environment.configurationOf(image);
  return admission(environment.ledger, { image, digest, configuration, ...(after ? { after } : {}), now });
}
