// Names that the components put on a cluster and the provider finds there again.

/** Labels on everything that an environment owns in its namespace. */
export const labels = {
  /** The claim's id: which state it belongs to. */
  claim: "tagalong.dev/claim",
  service: "tagalong.dev/service",
} as const;

/** `<project>/<stack>`, of a namespace and of what is in it; as a label it could be too long, and has a slash. */
export const environmentAnnotation = "tagalong.dev/environment";

/** Of a Deployment: the records of the rejections that what it runs had on it already. */
export const triedAnnotation = "tagalong.dev/tried";

/** The oldest Kubernetes that has all that the components use: `preStop: {sleep}` is on by default since 1.30. */
export const oldestVersion = { major: 1, minor: 30 } as const;

/** Of everything that the watcher has in its namespace, of which there is one each: its Deployment, its Lease. */
export const watcherName = "watcher";

/** By what a Deployment knows its pods. */
export const podLabels = (name: string): Record<string, string> =>
  name === watcherName ? { "app.kubernetes.io/component": watcherName } : { [labels.service]: name };
