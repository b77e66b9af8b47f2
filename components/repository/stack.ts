// What exists once: the repository, and a package for each image.
import * as pulumi from "@pulumi/pulumi";
import type { Row } from "../../access/checklist";
import type { Survey } from "../../access/survey";
import { Provider } from "../../provider/resources";
import { ContainerPackage } from "./containerPackage";
import { Repository, type RepositoryArgs } from "./repository";

export interface RepositoryStackArgs
  extends Omit<RepositoryArgs, "facts" | "people" | "workflows" | "baseUrl" | "token"> {
  survey: Survey;
  /** Where GitHub's API is, and the token for it. */
  access: { baseUrl: string; token: string };
  rows: Row[];
  /** Where the program offers to the provider what no state may hold. */
  session: string;
}

export class RepositoryStack extends pulumi.ComponentResource {
  public readonly url: pulumi.Output<string>;
  /** The page of the pull request that brings the workflows; undefined where none are written. */
  public readonly pullRequest: pulumi.Output<string> | undefined;
  /** The checklist; what nobody but a person puts right is also said while Pulumi runs. */
  public readonly rows: Row[];

  constructor(name: string, args: RepositoryStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:RepositoryStack", name, {}, opts);
    const { survey, access, rows, session, ...own } = args;
    const { settings, known } = own;
    const { facts, people, workflows } = survey;
    const { firstPush } = settings.packages;
    const providers = firstPush || workflows ? [new Provider("tagalong", { session }, { parent: this })] : [];
    const child = { parent: this, providers };
    const repository = new Repository(name, { ...own, ...access, facts, people, workflows }, child);
    const packages = Object.entries(survey.packages);
    const source = `https://github.com/${settings.owner}/${settings.name}`;
    for (const [image, found] of packages) {
      // A package is linked to a repository that is there.
      const own = { ...child, dependsOn: [repository] };
      new ContainerPackage(`package-${image}`, { image, found, source, firstPush, rows, known }, own);
    }
    for (const { what, state, detail, page } of rows) {
      if (state === "click")
        void pulumi.log.warn(`${what}: ${detail}${page === undefined ? "" : ` (${page})`}`, this);
    }
    this.url = repository.url;
    this.pullRequest = repository.workflows?.pullRequest;
    this.rows = rows;
    this.registerOutputs({ url: this.url });
  }
}
