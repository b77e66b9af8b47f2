// WorkflowFiles: files of ours in the managed repository, all of them in one commit. What is to be written is found out
// before the program declares anything (github/files) and offered to this process, so that a preview says what `up` does;
// what is written is found out anew. Files that a person has changed stay as they are.
import { Client, factsText, type RenderedFile, writeFiles } from "../github";
import type { Context, Handler, PropertyChange } from "./handler";
import { session } from "./session";

export interface WorkflowFilesInputs extends Record<string, unknown> {
  /** `acme/shop` */
  repository: string;
  branch: string;
  /** By path. */
  files: Record<string, { text: string; mode: RenderedFile["mode"] }>;
  /** Paths of files that need not be as we wrote them. */
  overwrite: string[];
}

export interface WorkflowFilesOutputs extends Record<string, unknown> {
  /** The commit that wrote them last; "" where they were there already. */
  commit: string;
  /** The page of the pull request that has them; "" where they came without one. */
  pullRequest: string;
}

type State = WorkflowFilesInputs & WorkflowFilesOutputs;

const kinds = { new: "add", changed: "update", removed: "delete" } as const;

export const workflowFiles: Handler<WorkflowFilesInputs, WorkflowFilesOutputs> = {
  async changed(_inputs, _old, context): Promise<readonly PropertyChange[]> {
    const facts = (await session())?.files;
    if (facts === undefined || facts.isEmpty) return [];
    if (facts.isWaiting) {
      context.log("info", factsText(facts));
      return [];
    }
    return Object.entries(facts.plan.changes).map(([path, change]) => ({
      path: `files[${JSON.stringify(path)}]`,
      kind: kinds[change],
    }));
  },
  async preview(_inputs, old, context) {
    const facts = (await session())?.files;
    if (facts === undefined || facts.isEmpty)
      context.log("info", "written by the first update after the repository's first commit");
    else if (Object.keys(facts.plan.changes).length > 0) context.log("info", factsText(facts));
    else context.log("info", `${facts.branch} has them already`);
    return old ? { commit: old.commit } : {};
  },
  async create(inputs, context) {
    return { id: "workflows", outputs: await write(inputs, undefined, context) };
  },
  update: (_id, inputs, old, context) => write(inputs, old, context),
  async delete(_id, { repository, files }, context) {
    const count = Object.keys(files).length;
    context.log(
      "info",
      `${count} files stay in ${repository}: whoever needs them no longer removes them there`,
    );
  },
};

async function write(
  { branch, files, overwrite }: WorkflowFilesInputs,
  old: State | undefined,
  context: Context,
): Promise<WorkflowFilesOutputs> {
  const offered = (await session())?.github;
  if (offered === undefined) throw new Error("the program offers no way to GitHub: run it by `pulumi up`");
  const client = new Client(offered.repository, offered.access, undefined, context.signal);
  const rendered = Object.entries(files).map(([path, file]) => ({ path, ...file }));
  const { commit, pullRequest } = await writeFiles(client, { branch, overwrite, files: rendered });
  if (pullRequest !== "") context.log("info", `to be merged: ${pullRequest}`);
  return { commit: commit || (old?.commit ?? ""), pullRequest };
}
