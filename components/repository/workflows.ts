// The files of the CI/CD workflows in the repository, and what is to be merged for them to be there.
import * as pulumi from "@pulumi/pulumi";
import type { WorkflowSurvey } from "../../access/workflows";
import { WorkflowFiles } from "../../provider/resources";

export interface WorkflowsArgs {
  /** `acme/shop` */
  repository: string;
  defaultBranch: string;
  survey: WorkflowSurvey;
}

export class Workflows extends pulumi.ComponentResource {
  /** The page of the pull request that waits for its merge; "" where there is none. */
  public readonly pullRequest: pulumi.Output<string>;

  constructor(name: string, args: WorkflowsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:Workflows", name, {}, opts);
    const { repository, defaultBranch, survey } = args;
    const { wanted, facts } = survey;
    const files = new WorkflowFiles(
      name,
      {
        repository,
        branch: defaultBranch,
        files: Object.fromEntries(wanted.files.map(({ path, text, mode }) => [path, { text, mode }])),
        overwrite: [...wanted.overwrite],
      },
      { parent: this },
    );
    // What the state knows of a pull request may be long merged.
    const isThere = facts !== undefined && !facts.isEmpty && Object.keys(facts.plan.changes).length === 0;
    const known = isThere ? "" : facts?.isWaiting ? facts.open?.url : undefined;
    this.pullRequest = known === undefined ? files.pullRequest : pulumi.output(known);
    this.registerOutputs({ pullRequest: this.pullRequest });
  }
}
