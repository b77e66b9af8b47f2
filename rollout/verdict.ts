// What a failed roll says about the images: that they are bad, or only that something was in the way.
import { parseFailures } from "./gate";

/** An error of an update: type and name of the resource that failed, "" where none did, and the engine's words. */
export interface UpdateFailure {
  /** `tagalong:index:Gate`, `docker:index/container:Container`, … */
  type: string;
  name: string;
  message: string;
}

export type Verdict =
  /** The images of these services are to blame and are not tried again. */
  | { kind: "rejected"; services: { service: string; reason: string }[] }
  /** Something else was; the same roll may work later. */
  | { kind: "retry"; reason: string };

/** The environment that the resources belong to, which are named after it. */
export interface Named {
  stack: string;
  services: readonly string[];
}

const firstLine = (text: string): string => text.split("\n")[0] ?? "";

/** Words of the engines that mean that the image itself cannot be had or started, now or later. */
const imageAtFault = [
  /manifest unknown|not found: manifest|no matching manifest|has no image for/i,
  /failed to register layer: .*(unexpected EOF|invalid tar header|tar: )|layer verification failed/i,
  /exec format error|executable file not found|exec: .*(no such file or directory|permission denied|is a directory)/i,
  /no command specified|unable to find (user|group)|no matching entries in (passwd|group) file/i,
];

/** Somebody removed a container while the gate looked at it: that says nothing about its image. */
const removedByHand = /was removed while it was starting$/;

/** Resources that say by themselves which service failed, in rollout/gate.ts's words. */
const judges = ["tagalong:index:Gate", "tagalong:index:Placement"];

export function judgeFailures(failures: readonly UpdateFailure[], environment: Named): Verdict {
  const reasons = [
    ...failures
      .filter(({ type }) => judges.includes(type))
      .flatMap(({ message }) => parseFailures(message))
      .filter(({ reason }) => !removedByHand.test(reason)),
    ...failures
      .filter(({ message }) => imageAtFault.some((words) => words.test(message)))
      .map(({ name, message }) => ({ service: serviceNamed(name, environment), reason: firstLine(message) })),
  ];
  // The edge's image is no part of a roll.
  const services = reasons.filter(
    (reason): reason is { service: string; reason: string } =>
      reason.service !== undefined && environment.services.includes(reason.service),
  );
  if (services.length > 0) {
    return { kind: "rejected", services: services.map(({ service, reason }) => ({ service, reason })) };
  }
  return {
    kind: "retry",
    reason: failures.map(({ message }) => firstLine(message)).join("; ") || "the update failed",
  };
}

/**
 * Which service a resource is of: `<stack>-<service>` is its image, `<project>-<stack>-<service>-<revision>-<n>` one of
 * its replicas.
 */
function serviceNamed(name: string, { stack, services }: Named): string | undefined {
  const replica = /^(.+)-[0-9a-f]{8}-\d+$/.exec(name)?.[1];
  const named = services.filter(
    (service) => name === `${stack}-${service}` || replica?.endsWith(`-${stack}-${service}`),
  );
  // With a service "b" and a service "dev-b" both fit a replica of the latter.
  return named.sort((a, b) => b.length - a.length)[0];
}
