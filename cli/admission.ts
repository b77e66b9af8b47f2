// Whether an environment would take an image now: the same question as `pulumi up` and the watcher ask.
import { admission } from "../ledger";
import type { Admission } from "../rollout/admission";
import type { Environment, Project } from "./project";

export function admissionOf(
  project: Project,
  environment: Environment,
  image: string,
  digest: string,
  now = Date.now(),
): Promise<Admission> {
  const { config, ledger } = environment;
  const { after, for: forMs = 0 } = config.rollout;
  return admission(ledger, {
    image,
    digest,
    configuration: environment.configurationOf(image),
    ...(after === undefined ? {} : { after: before(project, after, forMs) }),
    now,
  });
}

/** The environment that comes first; with its own ledger, since its images may be in other repositories. */
function before(project: Project, environment: string, forMs: number) {
  try {
    return { environment, forMs, ledger: project.environment(environment).ledger };
  } catch {
    return { environment, forMs }; // it is not one of this folder, or its file is broken
  }
}
