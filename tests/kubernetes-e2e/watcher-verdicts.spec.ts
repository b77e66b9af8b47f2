// What the watcher finds out on Kubernetes.
import { describeRemembering } from "../behaviour/remembering";
import { onKubernetes } from "../kubernetes/engine";

describeRemembering(onKubernetes, { registry: false });
