// The provider's resources as the program declares them. What each one does stands in the file of its name.
import * as pulumi from "@pulumi/pulumi";
import type { ClaimInputs } from "./docker/claim";
import type { ImageInputs } from "./docker/image";
import type { RouteInputs } from "./docker/route";
import type { EnvironmentTagInputs, TaggedImage } from "./environmentTag";
import type { FirstPushInputs } from "./firstPush";
import type { GateInputs } from "./gate";
import type { ClusterClaimInputs, ObjectNames } from "./kubernetes/claim";
import type { PlacementInputs } from "./kubernetes/placement";
import type { Permission } from "./kubernetes/rights";
import type { SoakInputs } from "./soak";
import type { WorkflowFilesInputs } from "./workflowFiles";

export type { ObjectNames, Permission, TaggedImage };

/** Every property of T, at any depth, may also be an output. */
type Inputs<T> = {
  [K in keyof T as string extends K ? never : number extends K ? never : K]: pulumi.Input<Deep<T[K]>>;
};
type Deep<T> = T extends (infer E)[]
  ? pulumi.Input<Deep<E>>[]
  : T extends Record<string, infer V>
    ? string extends keyof T
      ? Known<T> extends never
        ? Record<string, pulumi.Input<Deep<V>>>
        : Inputs<T>
      : Inputs<T>
    : T;
type Known<T> = keyof { [K in keyof T as string extends K ? never : K]: T[K] };

export interface ProviderArgs {
  /** Path of the socket on which the program offers registry credentials; see session.ts. */
  session: pulumi.Input<string>;
}

/** One process for all resources of a stack. Declared first, it starts beside the engine's other providers. */
export class Provider extends pulumi.ProviderResource {
  constructor(name: string, args: ProviderArgs, opts?: pulumi.ResourceOptions) {
    super("tagalong", name, { session: args.session }, opts);
  }
}

export class Claim extends pulumi.CustomResource {
  declare public readonly claim: pulumi.Output<string>;
  /** `os/architecture` that the engine runs; undefined in the state of an older version. */
  declare public readonly platform: pulumi.Output<string | undefined>;
  constructor(name: string, args: Inputs<ClaimInputs>, opts?: pulumi.CustomResourceOptions) {
    super(
      "tagalong:index:Claim",
      name,
      { claim: undefined, engine: undefined, platform: undefined, ...args },
      opts,
    );
  }
}

export class ClusterClaim extends pulumi.CustomResource {
  declare public readonly claim: pulumi.Output<string>;
  declare public readonly namespace: pulumi.Output<string>;
  /** `os/architecture` that its nodes run; empty where that may not be read. */
  declare public readonly platforms: pulumi.Output<string[]>;
  /** Host name or address at which a node port is reached. */
  declare public readonly host: pulumi.Output<string>;
  constructor(name: string, args: Inputs<ClusterClaimInputs>, opts?: pulumi.CustomResourceOptions) {
    super(
      "tagalong:index:ClusterClaim",
      name,
      { claim: undefined, uid: undefined, isMade: undefined, platforms: undefined, host: undefined, ...args },
      opts,
    );
  }
}

export class Image extends pulumi.CustomResource {
  declare public readonly reference: pulumi.Output<string>;
  declare public readonly digest: pulumi.Output<string>;
  /** repository@digest */
  declare public readonly pinned: pulumi.Output<string>;
  constructor(name: string, args: Inputs<ImageInputs>, opts?: pulumi.CustomResourceOptions) {
    super(
      "tagalong:index:Image",
      name,
      { digest: undefined, pinned: undefined, history: undefined, ...args },
      opts,
    );
  }
}

export class Gate extends pulumi.CustomResource {
  declare public readonly passedAt: pulumi.Output<number>;
  constructor(name: string, args: Inputs<GateInputs>, opts?: pulumi.CustomResourceOptions) {
    super("tagalong:index:Gate", name, { passedAt: undefined, ...args }, opts);
  }
}

export class Route extends pulumi.CustomResource {
  declare public readonly switchedAt: pulumi.Output<number>;
  /** The upstreams before it was switched. */
  declare public readonly before: pulumi.Output<Record<string, string>>;
  constructor(name: string, args: Inputs<RouteInputs>, opts?: pulumi.CustomResourceOptions) {
    super("tagalong:index:Route", name, { switchedAt: undefined, before: undefined, ...args }, opts);
  }
}

export class Placement extends pulumi.CustomResource {
  constructor(name: string, args: Inputs<PlacementInputs>, opts?: pulumi.CustomResourceOptions) {
    super("tagalong:index:Placement", name, { ...args }, opts);
  }
}

export class EnvironmentTag extends pulumi.CustomResource {
  constructor(name: string, args: Inputs<EnvironmentTagInputs>, opts?: pulumi.CustomResourceOptions) {
    super("tagalong:index:EnvironmentTag", name, { carried: undefined, ...args }, opts);
  }
}

export class Soak extends pulumi.CustomResource {
  declare public readonly runs: pulumi.Output<SoakInputs["release"]>;
  constructor(name: string, args: Inputs<SoakInputs>, opts?: pulumi.CustomResourceOptions) {
    super("tagalong:index:Soak", name, { runs: undefined, ...args }, opts);
  }
}

export class FirstPush extends pulumi.CustomResource {
  /** repository@digest */
  declare public readonly pushed: pulumi.Output<string>;
  constructor(name: string, args: Inputs<FirstPushInputs>, opts?: pulumi.CustomResourceOptions) {
    super("tagalong:index:FirstPush", name, { pushed: undefined, ...args }, opts);
  }
}

export class WorkflowFiles extends pulumi.CustomResource {
  declare public readonly commit: pulumi.Output<string>;
  /** The page of the pull request that has them; "" where they came without one. */
  declare public readonly pullRequest: pulumi.Output<string>;
  constructor(name: string, args: Inputs<WorkflowFilesInputs>, opts?: pulumi.CustomResourceOptions) {
    super("tagalong:index:WorkflowFiles", name, { commit: undefined, pullRequest: undefined, ...args }, opts);
  }
}
