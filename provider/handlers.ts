// The resources of the provider, by their type.
import { claim } from "./docker/claim";
import { image } from "./docker/image";
import { route } from "./docker/route";
import { environmentTag } from "./environmentTag";
import { firstPush } from "./firstPush";
import { gate } from "./gate";
import { clusterClaim } from "./kubernetes/claim";
import { placement } from "./kubernetes/placement";
import type { Handlers } from "./server";
import { soak } from "./soak";
import { workflowFiles } from "./workflowFiles";

export const handlers = {
  "tagalong:index:Claim": claim,
  "tagalong:index:ClusterClaim": clusterClaim,
  "tagalong:index:Image": image,
  "tagalong:index:Placement": placement,
  "tagalong:index:EnvironmentTag": environmentTag,
  "tagalong:index:Gate": gate,
  "tagalong:index:Route": route,
  "tagalong:index:FirstPush": firstPush,
  "tagalong:index:Soak": soak,
  "tagalong:index:WorkflowFiles": workflowFiles,
} as unknown as Handlers;
