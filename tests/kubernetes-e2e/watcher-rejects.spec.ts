// The watcher on a bad day, on Kubernetes.
import { describeRejecting } from "../behaviour/rejecting";
import { onKubernetes } from "../kubernetes/engine";

describeRejecting(onKubernetes, { noCommand: /executable file not found|no such file or directory/ });
