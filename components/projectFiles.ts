// The project's files as a watcher in a container gets them: the stack's own as it is, secrets encrypted as they stand
// there, the project's without what only holds on the machine that it was written on, and of the repository's no more
// than which one it is: what else stands there, and who may read it, is none of a watcher's business.
import { parseDocument, stringify } from "yaml";

export interface ProjectFiles {
  /** Text of Pulumi.yaml. */
  project: string;
  /** Text of Pulumi.<stack>.yaml. */
  stack: string;
  /** Text of Pulumi.repository.yaml; "" where there is none. */
  repository: string;
}

/** The same again for what it has made already, so that the watcher's own run of the program changes nothing. */
export function portableFiles({ project, stack, repository }: ProjectFiles): ProjectFiles {
  const document = parseDocument(project);
  document.delete("main");
  document.deleteIn(["plugins"]);
  document.set("plugins", { providers: [{ name: "tagalong", path: "./provider/plugin" }] });
  return { project: document.toString(), stack, repository: named(repository) };
}

function named(repository: string): string {
  const key = "tagalong:repository";
  const document = parseDocument(repository);
  // Whoever asks for the repository by hand is told of a mistake in its file; no environment is the worse for it.
  const { config } = (document.errors.length > 0 ? {} : (document.toJS() ?? {})) as {
    config?: Record<string, unknown>;
  };
  const own = config?.[key];
  if (typeof own !== "object" || own === null) return "";
  const { owner, name } = own as Record<string, unknown>;
  return stringify({ config: { [key]: { owner, name } } });
}
