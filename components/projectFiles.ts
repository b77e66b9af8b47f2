// The project's files as a watcher in a container gets them: the stack's own as it is, secrets encrypted as they stand
// there, and the project's without what only holds on the machine that it was written on.
import { parseDocument } from "yaml";

export interface ProjectFiles {
  /** Text of Pulumi.yaml. */
  project: string;
  /** Text of Pulumi.<stack>.yaml. */
  stack: string;
}

/** The same again for what it has made already, so that the watcher's own run of the program changes nothing. */
export function portableFiles({ project, stack }: ProjectFiles): ProjectFiles {
  const document = parseDocument(project);
  document.delete("main");
  document.deleteIn(["plugins"]);
  document.set("plugins", { providers: [{ name: "tagalong", path: "./provider/plugin" }] });
  return { project: document.toString(), stack };
}
