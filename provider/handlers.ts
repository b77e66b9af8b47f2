// The resources of the provider, by their type.
import { claim } from "./docker/claim";
import { image } from "./docker/image";
import { route } from "./docker/route";
import { firstPush } from "./firstPush";
import { gate } from "./gate";
import type { Handlers } from "./server";

export const handlers = {
  "tagalong:index:Claim": claim,
  "tagalong:index:Image": image,
  "tagalong:index:Gate": gate,
  "tagalong:index:Route": route,
  "tagalong:index:FirstPush": firstPush,
} as unknown as Handlers;
