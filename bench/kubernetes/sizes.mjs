// What is rolled on the cluster, and for how long it is waited for.

/** Deployments of the environment, case by case; each has as many pods as `replicas` says. */
export const sizes = [1, 10, 50, 100, 200];
export const replicas = 5;
/** Nodes that exist in the API only; one bears 110 pods, and a roll has a quarter more of them. */
export const nodes = 15;

export const project = "bench-kubernetes";
export const stack = "bench";
/** Where the environment is, as the program names it by itself. */
export const namespace = `${project}-${stack}`;
export const cluster = "bench";
export const repository = "bench/app";

/** As often as the watcher may be told to look. */
export const intervalSeconds = 1;
export const longestMs = 600_000;

/** @param {number} number */
export const serviceName = (number) => `s${String(number).padStart(3, "0")}`;
