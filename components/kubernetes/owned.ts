// What all objects of an environment carry, so that they are known for its own.
import type * as pulumi from "@pulumi/pulumi";
import { environmentAnnotation, labels } from "../../provider/kubernetes/layout";

export interface Metadata {
  name?: string;
  namespace: pulumi.Input<string>;
  labels: Record<string, pulumi.Input<string>>;
  annotations: Record<string, string>;
}

export class Owned {
  /**
   * @param environment `<project>/<stack>`
   * @param namespace where everything of it is
   * @param claim the claim's id
   */
  constructor(
    private readonly environment: string,
    private readonly namespace: pulumi.Input<string>,
    private readonly claim: pulumi.Input<string>,
  ) {}

  /**
   * @param name left out where each content is to have a name of its own
   * @param more labels besides those of all
   */
  metadata(name: string | undefined, more: Record<string, string> = {}): Metadata {
    return {
      ...(name === undefined ? {} : { name }),
      namespace: this.namespace,
      labels: { ...more, [labels.claim]: this.claim, "app.kubernetes.io/managed-by": "tagalong" },
      annotations: {
        [environmentAnnotation]: this.environment,
        // Nobody else decides what of ours is: what was changed by hand is put back.
        "pulumi.com/patchForce": "true",
        // The gate waits, for all services at once, and says why when it fails; the provider's own waiting does not.
        "pulumi.com/skipAwait": "true",
        // It does wait for what it removes, though, and misses the end of what goes in two steps (of 4.18.1,
        // condition.Deleted: an object that goes before its informer has listed, and is there still when it asks).
        "pulumi.com/deletionPropagationPolicy": "background",
      },
    };
  }
}
