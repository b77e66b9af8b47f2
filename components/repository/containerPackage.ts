// The package of one image on GHCR. No API sets its link, its visibility or who may write to it: they are read back and
// proved beforehand, and its rows of the checklist say what is to be clicked. Its first push, which links it, may be ours.
import * as pulumi from "@pulumi/pulumi";
import type { Row } from "../../access/checklist";
import type { PackageSurvey } from "../../access/packages";
import { FirstPush } from "../../provider/resources";
import { Adoption } from "./adoption";

export interface ContainerPackageArgs {
  image: string;
  found: PackageSurvey;
  /** The repository's page. */
  source: string;
  /** Whether a package that is not there is pushed. */
  firstPush: boolean;
  /** Rows of the checklist. */
  rows: readonly Row[];
  /** URNs of what the stack's state has. */
  known: readonly string[];
}

const type = "tagalong:index:FirstPush";

export class ContainerPackage extends pulumi.ComponentResource {
  /** What there is to know of it, without what is as it should be. */
  public readonly amiss: Row[];

  constructor(name: string, args: ContainerPackageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("tagalong:index:ContainerPackage", name, {}, opts);
    const { found, source, firstPush, rows, known } = args;
    const wasPushed = new Adoption(known).has(type, name);
    if (firstPush && (found.found === "none" || wasPushed))
      new FirstPush(name, { repository: found.repository, source }, { parent: this });
    this.amiss = rows.filter(
      ({ what, state }) => what.startsWith(`package ${args.image}:`) && state !== "ok",
    );
    this.registerOutputs({ repository: found.repository, amiss: this.amiss });
  }
}
